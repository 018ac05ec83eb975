//! Which instructions does this processor have? A [`Path`] is the proof that it has them.

use std::sync::OnceLock;

use super::tile::{Group, Tile};
use super::{Match, portable};

/// Environment variable that forces a path by its name.
const VARIABLE: &str = "MUSUBI_KERNEL";

/// A set of instructions that this processor has, as found when the value was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path(Instructions);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instructions {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

/// Why the path asked for cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// No path has the name.
    #[error("{VARIABLE} is not one of {}", Path::NAMES.join(", "))]
    Unknown,
    /// The path has instructions that this processor does not.
    #[error("{VARIABLE} asks for {0}, which this processor does not have")]
    Unavailable(&'static str),
}

impl Path {
    /// Names of all paths on any processor, slowest first.
    pub const NAMES: [&str; 4] = ["portable", "neon", "avx2", "avx512"];

    /// The paths that this processor has, slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        Self::NAMES.into_iter().filter_map(Self::detect).collect()
    }

    /// The path of this name, if the processor has it.
    #[must_use]
    pub fn detect(name: &str) -> Option<Self> {
        match name {
            "portable" => Some(Self(Instructions::Portable)),
            #[cfg(target_arch = "x86_64")]
            "avx2" if std::is_x86_feature_detected!("avx2") => Some(Self(Instructions::Avx2)),
            #[cfg(target_arch = "x86_64")]
            "avx512"
                if std::is_x86_feature_detected!("avx512f")
                    && std::is_x86_feature_detected!("avx512vpopcntdq") =>
            {
                Some(Self(Instructions::Avx512))
            }
            #[cfg(target_arch = "aarch64")]
            "neon" if std::arch::is_aarch64_feature_detected!("neon") => {
                Some(Self(Instructions::Neon))
            }
            _ => None,
        }
    }

    /// The path of this process: the fastest, or the one that `MUSUBI_KERNEL` names. Looked up
    /// once.
    ///
    /// # Errors
    /// [`PathError`] if the variable names a path that does not exist or is not available.
    pub fn of_process() -> Result<Self, PathError> {
        static PATH: OnceLock<Result<Path, PathError>> = OnceLock::new();
        let chosen = PATH.get_or_init(|| Self::choose(std::env::var(VARIABLE).ok().as_deref()));
        chosen.clone()
    }

    fn choose(forced: Option<&str>) -> Result<Self, PathError> {
        let Some(forced) = forced.filter(|name| !name.is_empty()) else {
            let fastest = Self::available().pop();
            return Ok(fastest.unwrap_or(Self(Instructions::Portable)));
        };
        let name = Self::NAMES.into_iter().find(|name| *name == forced);
        let name = name.ok_or(PathError::Unknown)?;
        Self::detect(name).ok_or(PathError::Unavailable(name))
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Instructions::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => "neon",
        }
    }

    /// Scans a tile with one group of queries.
    #[allow(unsafe_code)]
    pub(super) fn scan<const Q: usize>(
        self,
        group: &Group<Q>,
        tile: &Tile,
        threshold: f64,
        found: &mut Vec<Match>,
    ) {
        match self.0 {
            Instructions::Portable => portable::scan(group, tile, threshold, found),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => {
                // SAFETY: the function needs AVX2. `Instructions::Avx2` is made in `detect`
                // alone, behind a check that the processor has it.
                unsafe { super::avx2::scan(group, tile, threshold, found) }
            }
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => {
                // SAFETY: the function needs AVX-512 F and VPOPCNTDQ. `Instructions::Avx512` is
                // made in `detect` alone, behind a check that the processor has both.
                unsafe { super::avx512::scan(group, tile, threshold, found) }
            }
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => {
                // SAFETY: the function needs NEON. `Instructions::Neon` is made in `detect`
                // alone, behind a check that the processor has it.
                unsafe { super::neon::scan(group, tile, threshold, found) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_path_is_taken_unless_one_is_forced() {
        assert_eq!(
            Path::choose(None),
            Ok(*Path::available().last().expect("portable"))
        );
        assert_eq!(Path::choose(Some("")), Path::choose(None));
        let forced = Path::choose(Some("portable")).map(Path::name);
        assert_eq!(forced, Ok("portable"));
        assert_eq!(Path::choose(Some("mmx")), Err(PathError::Unknown));
    }

    #[test]
    fn a_path_of_another_processor_is_refused_by_name() {
        let foreign = if cfg!(target_arch = "aarch64") {
            "avx2"
        } else {
            "neon"
        };
        let refused = Path::choose(Some(foreign));
        assert_eq!(refused, Err(PathError::Unavailable(foreign)));
    }
}
