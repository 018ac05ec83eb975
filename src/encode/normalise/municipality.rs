//! Where the municipality ends in an address: before its end no number is one of a block.

/// Where the municipality ends, and how much of it writers leave out. In bytes.
pub(super) struct Municipality {
    pub(super) end: usize,
    pub(super) omittable: usize,
    /// What comes before the first number.
    pub(super) named: usize,
}

/// Cities whose names hold the character of a district.
const CITIES_WITH_DISTRICT: [&str; 5] = ["郡山市", "大和郡山市", "蒲郡市", "小郡市", "郡上市"];

/// Cities that have wards, as addresses are folded.
const CITIES_WITH_WARDS: [&str; 20] = [
    "札幌市",
    "仙台市",
    "サイタマ市",
    "千葉市",
    "横浜市",
    "川崎市",
    "相模原市",
    "新潟市",
    "静岡市",
    "浜松市",
    "名古屋市",
    "京都市",
    "大阪市",
    "堺市",
    "神戸市",
    "岡山市",
    "広島市",
    "北九州市",
    "福岡市",
    "熊本市",
];

impl Municipality {
    /// A city with its ward; a district with its town or village; a city; a ward. A town without
    /// its district is not told from the towns inside a city, and counts as one of them.
    pub(super) fn find(text: &str) -> Self {
        let marks = Marks::find(text);
        let (end, omittable) = marks.municipality(&text[..marks.named]);
        Self {
            end,
            omittable,
            named: marks.named,
        }
    }
}

/// Ends of the first marks before the first number that are not the first character (市川市, 町田). In
/// bytes.
#[derive(Default)]
struct Marks {
    ward: Option<usize>,
    district: Option<usize>,
    city: Option<usize>,
    /// Where the first number begins.
    named: usize,
}

impl Marks {
    fn find(text: &str) -> Self {
        let mut marks = Self {
            named: text.len(),
            ..Self::default()
        };
        for (at, c) in text.char_indices() {
            let mark = match c {
                '0'..='9' => {
                    marks.named = at;
                    break;
                }
                '区' => &mut marks.ward,
                '郡' => &mut marks.district,
                '市' => &mut marks.city,
                _ => continue,
            };
            if at > 0 && mark.is_none() {
                *mark = Some(at + c.len_utf8());
            }
        }
        marks
    }

    /// End of the municipality in what comes before the numbers, and how much of it writers leave out.
    fn municipality(&self, named: &str) -> (usize, usize) {
        // No listed city has its mark but at the end.
        if let Some(city) = self.city
            && named[city..].contains('区')
            && CITIES_WITH_WARDS.contains(&&named[..city])
            && let Some(ward) = end_of(&named[city..], &['区'])
        {
            return (city + ward, city);
        }
        let in_listed_city = || {
            CITIES_WITH_DISTRICT
                .iter()
                .any(|city| named.starts_with(city))
        };
        if let Some(district) = self.district
            && !in_listed_city()
            && !named[..district].contains('市')
            && let Some(town) = end_of(&named[district..], &['町', '村'])
        {
            return (district + town, district);
        }
        if let Some(mut end) = self.city {
            // 四日市市, 廿日市市, 野々市市: the name itself ends in 市.
            if named[end..].starts_with('市') {
                end += '市'.len_utf8();
            }
            return (end, 0);
        }
        (self.ward.unwrap_or_default(), 0)
    }
}

/// End of the first of some marks that is not the first character.
fn end_of(text: &str, marks: &[char]) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    let (at, c) = characters.find(|(_, c)| marks.contains(c))?;
    Some(at + c.len_utf8())
}
