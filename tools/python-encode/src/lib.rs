//! `musubi-encode encode` as a function for Python. It calls what the command calls, so that the
//! same input gives the same bytes.

use std::path::PathBuf;

use musubi::terms::{LinkageProfile, SourceId};
use musubi::tools::source::encode::{EncodeOptions, OutputFormat, encode_source};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Encodes a file and gives the report as JSON.
#[pyfunction]
#[pyo3(signature = (input, output, *, map, source, key, source_key=None, profile="jp-standard", epoch="1", tracers=0, format="mse"))]
#[allow(clippy::too_many_arguments)]
fn encode_file(
    py: Python<'_>,
    input: PathBuf,
    output: PathBuf,
    map: PathBuf,
    source: &str,
    key: PathBuf,
    source_key: Option<PathBuf>,
    profile: &str,
    epoch: &str,
    tracers: u32,
    format: &str,
) -> PyResult<String> {
    let refused = |error: &dyn std::fmt::Display| PyValueError::new_err(error.to_string());
    let profile = match LinkageProfile::built_in(profile) {
        Some(profile) => profile,
        None => {
            let text = std::fs::read_to_string(profile).map_err(|error| refused(&error))?;
            LinkageProfile::parse(&text).map_err(|error| refused(&error))?
        }
    };
    let options = EncodeOptions {
        input,
        output,
        format: match format {
            "mse" => OutputFormat::Mse,
            "csv" => OutputFormat::Csv,
            _ => return Err(PyValueError::new_err("format is 'mse' or 'csv'")),
        },
        map,
        source: SourceId::new(source).map_err(|error| refused(&error))?,
        profile,
        linkage_secret: key,
        source_secret: source_key,
        clkhash_secret: None,
        epoch: epoch.to_owned(),
        tracers,
    };
    // Other threads of Python run meanwhile: one of them may be writing the input.
    let report = py.detach(|| encode_source(&options, &|_, _| {}));
    let report = report.map_err(|error| refused(&error))?;
    serde_json::to_string(&report).map_err(|error| refused(&error))
}

/// The compiled part of `musubi_encode`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(encode_file, module)?)
}
