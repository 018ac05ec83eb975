//! The map files of the nine kinds of source: which column holds which field.

/// File names and texts, `sources.toml` first; the others in the order of `Source::ALL`.
pub const MAPS: [(&str, &str); 10] = [
    (
        "sources.toml",
        include_str!("../maps/jp_small/sources.toml"),
    ),
    (
        "birth_registry.toml",
        include_str!("../maps/jp_small/birth_registry.toml"),
    ),
    (
        "child_checkup.toml",
        include_str!("../maps/jp_small/child_checkup.toml"),
    ),
    (
        "specific_checkup.toml",
        include_str!("../maps/jp_small/specific_checkup.toml"),
    ),
    ("hosp_a.toml", include_str!("../maps/jp_small/hosp_a.toml")),
    ("hosp_b.toml", include_str!("../maps/jp_small/hosp_b.toml")),
    ("hosp_c.toml", include_str!("../maps/jp_small/hosp_c.toml")),
    ("ltc.toml", include_str!("../maps/jp_small/ltc.toml")),
    (
        "death_registry.toml",
        include_str!("../maps/jp_small/death_registry.toml"),
    ),
    ("ndb.toml", include_str!("../maps/jp_small/ndb.toml")),
];
