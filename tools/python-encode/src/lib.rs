//! `musubi-encode encode` as a function for Python. It calls what the command calls, so that the
//! same input gives the same bytes.

use std::path::PathBuf;

use musubi::terms::SourceId;
use musubi::tools::source::encode::{EncodeOptions, OutputFormat, encode_source};
use musubi::tools::source::profile::load_profile;
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

create_exception!(
    musubi_encode,
    EncodeError,
    PyValueError,
    "What the encoder refused: names file, line or field and rule, never a value."
);

/// Any refusal as the exception of this module.
fn refused(error: impl std::fmt::Display) -> PyErr {
    EncodeError::new_err(error.to_string())
}

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
    let options = EncodeOptions {
        input,
        output,
        format: match format {
            "mse" => OutputFormat::Mse,
            "csv" => OutputFormat::Csv,
            _ => return Err(refused("format is 'mse' or 'csv'")),
        },
        map,
        source: SourceId::new(source).map_err(refused)?,
        profile: load_profile(profile).map_err(refused)?,
        linkage_secret: key,
        source_secret: source_key,
        clkhash_secret: None,
        epoch: epoch.to_owned(),
        tracers,
    };
    // Other threads of Python run meanwhile: one of them may be writing the input.
    let report = py.detach(|| encode_source(&options, &|_, _| {}));
    serde_json::to_string(&report.map_err(refused)?).map_err(refused)
}

/// The compiled part of `musubi_encode`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("EncodeError", module.py().get_type::<EncodeError>())?;
    module.add_function(wrap_pyfunction!(encode_file, module)?)
}
