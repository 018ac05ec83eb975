//! Where people live: real municipalities with their JIS codes and postcode areas, invented towns in
//! them, and the ways in which sources write an address.

use std::fmt::Write as _;

use rand::Rng;

/// A municipality, or a ward of a designated city.
pub struct Municipality {
    /// Five-digit JIS code.
    pub code: u32,
    /// First three digits of its postcodes.
    pub postcode: u32,
    /// Prefecture.
    pub prefecture: &'static str,
    /// City, and ward if there is one.
    pub city: &'static str,
}

/// `code postcode-prefix city`, by prefecture. General public knowledge.
const TABLE: &str = "\
27102 534 大阪市都島区;27104 554 大阪市此花区;27106 550 大阪市西区;27107 552 大阪市港区;27109 543 大阪市天王寺区;27111 556 大阪市浪速区;\
27114 533 大阪市東淀川区;27116 544 大阪市生野区;27118 536 大阪市城東区;27119 545 大阪市阿倍野区;27120 558 大阪市住吉区;27122 557 大阪市西成区;\
27123 532 大阪市淀川区;27124 538 大阪市鶴見区;27126 547 大阪市平野区;27127 530 大阪市北区;27128 540 大阪市中央区;27141 590 堺市堺区;\
27144 593 堺市西区;27146 591 堺市北区;27202 596 岸和田市;27203 560 豊中市;27204 563 池田市;27205 564 吹田市;27207 569 高槻市;\
27209 570 守口市;27210 573 枚方市;27211 567 茨木市;27212 581 八尾市;27215 572 寝屋川市;27217 580 松原市;27219 594 和泉市;27220 562 箕面市;\
27227 577 東大阪市;28101 658 神戸市東灘区;28102 657 神戸市灘区;28105 652 神戸市兵庫区;28106 653 神戸市長田区;28107 654 神戸市須磨区;\
28108 655 神戸市垂水区;28110 650 神戸市中央区;28111 651 神戸市西区;28201 670 姫路市;28202 660 尼崎市;28203 673 明石市;28204 662 西宮市;\
28207 664 伊丹市;28210 675 加古川市;28214 665 宝塚市;26101 603 京都市北区;26103 606 京都市左京区;26104 604 京都市中京区;26107 601 京都市南区;\
26108 615 京都市右京区;26109 612 京都市伏見区;26110 607 京都市山科区;26204 611 宇治市;26206 621 亀岡市;25201 520 大津市;25202 522 彦根市;\
25206 525 草津市;29201 630 奈良市;30201 640 和歌山市";

/// Elements of invented town names.
const TOWN_FIRST: [char; 24] = [
    '桜', '緑', '若', '朝', '星', '松', '梅', '藤', '泉', '花', '光', '清', '長', '寿', '栄', '青',
    '白', '鶴', '亀', '丸', '錦', '旭', '萩', '柏',
];
const TOWN_SECOND: [&str; 12] = [
    "丘", "ケ丘", "野", "川", "里", "が台", "水", "見", "原", "風", "ノ宮", "浜",
];
const TOWN_LAST: [&str; 6] = ["町", "", "本町", "新町", "北町", "南"];
/// Towns per municipality. With about 64 municipalities: some 6,000 postcodes.
const TOWNS: u32 = 96;

const BUILDING_FIRST: [&str; 8] = [
    "ハイツ",
    "コーポ",
    "メゾン",
    "サンライズ",
    "グリーン",
    "パレス",
    "レジデンス",
    "第二",
];
const BUILDING_SECOND: [&str; 8] = [
    "若葉",
    "あおぞら",
    "泉",
    "みどり",
    "花水木",
    "白樺",
    "けやき",
    "ひかり",
];

/// All municipalities.
pub struct Places {
    municipalities: Vec<Municipality>,
}

/// One dwelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// Index into [`Places`].
    pub municipality: u16,
    town: u16,
    /// Zero where the town is not divided into chome.
    chome: u8,
    block: u8,
    house: u8,
    /// Zero: no building.
    building: u8,
    room: u16,
}

/// How a source writes an address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AddressStyle {
    /// `大阪府大阪市北区桜丘町五丁目１５番２号　ハイツ泉１００８号室`: registers.
    Formal,
    /// `大阪市北区桜丘町5-15-2 ハイツ泉1008`.
    HalfWidth,
    /// `大阪市北区桜丘町５－１５－２　ハイツ泉1008`.
    FullWidth,
    /// `大阪市北区桜丘町15番地2`.
    Banchi,
}

impl Places {
    /// Reads the table.
    #[must_use]
    pub fn new() -> Self {
        let municipalities = TABLE.split(';').filter_map(|entry| {
            let mut parts = entry.split(' ');
            let code: u32 = parts.next()?.parse().ok()?;
            let postcode = parts.next()?.parse().ok()?;
            let city = parts.next()?;
            let prefecture = match code / 1000 {
                25 => "滋賀県",
                26 => "京都府",
                28 => "兵庫県",
                29 => "奈良県",
                30 => "和歌山県",
                _ => "大阪府",
            };
            Some(Municipality {
                code,
                postcode,
                prefecture,
                city,
            })
        });
        Self {
            municipalities: municipalities.collect(),
        }
    }

    /// The municipality of a home.
    #[must_use]
    pub fn municipality(&self, home: &Home) -> &Municipality {
        &self.municipalities[home.municipality as usize]
    }

    /// A random dwelling; `near` keeps the municipality.
    pub fn home(&self, near: Option<&Home>, rng: &mut impl Rng) -> Home {
        let municipality = match near {
            Some(home) => home.municipality,
            None => rng.random_range(0..self.municipalities.len()) as u16,
        };
        let town = rng.random_range(0..TOWNS) as u16;
        let flat = rng.random_bool(0.42);
        let floors = rng.random_range(1..=12_u16) * 100;
        Home {
            municipality,
            town,
            chome: if town % 5 < 2 {
                rng.random_range(1..=6)
            } else {
                0
            },
            block: rng.random_range(1..=40),
            house: rng.random_range(1..=22),
            building: if flat { rng.random_range(1..=64) } else { 0 },
            room: floors + rng.random_range(1..=10),
        }
    }

    /// Appends the seven-digit postcode: one per town.
    pub fn write_postcode(&self, home: &Home, out: &mut String) {
        let place = self.municipality(home);
        let local = (u32::from(home.town) * 73 + place.code * 31) % 9_000 + 1;
        write!(out, "{:03}{local:04}", place.postcode).expect("a String takes everything");
    }

    /// Appends the address. Registers always give the prefecture and the building; elsewhere the
    /// caller says whether they are there, and what stands before the building.
    pub fn write_address(
        &self,
        home: &Home,
        style: AddressStyle,
        prefecture: bool,
        building: Option<char>,
        out: &mut String,
    ) {
        let place = self.municipality(home);
        let formal = style == AddressStyle::Formal;
        if prefecture || formal {
            out.push_str(place.prefecture);
        }
        out.push_str(place.city);
        self.write_town(home, out);
        write_number(home, style, out);
        let gap = if formal { Some('　') } else { building };
        if let Some(gap) = gap
            && home.building > 0
        {
            let name = usize::from(home.building - 1);
            out.push(gap);
            out.push_str(BUILDING_FIRST[name / 8]);
            out.push_str(BUILDING_SECOND[name % 8]);
            digits(u32::from(home.room), formal, out);
            if formal {
                out.push_str("号室");
            }
        }
    }

    fn write_town(&self, home: &Home, out: &mut String) {
        let mixed = u32::from(home.town) * 7 + self.municipality(home).code * 13;
        out.push(TOWN_FIRST[(mixed % 24) as usize]);
        out.push_str(TOWN_SECOND[(mixed / 24 % 12) as usize]);
        out.push_str(TOWN_LAST[(mixed / 288 % 6) as usize]);
    }
}

impl Default for Places {
    fn default() -> Self {
        Self::new()
    }
}

fn write_number(home: &Home, style: AddressStyle, out: &mut String) {
    let numbers = [home.chome, home.block, home.house].map(u32::from);
    let [chome, block, house] = numbers;
    match style {
        AddressStyle::Formal => {
            if chome > 0 {
                out.push(['一', '二', '三', '四', '五', '六'][chome as usize - 1]);
                out.push_str("丁目");
            }
            digits(block, true, out);
            out.push_str(if chome > 0 { "番" } else { "番地" });
            digits(house, true, out);
            out.push_str(if chome > 0 { "号" } else { "" });
        }
        AddressStyle::Banchi => {
            if chome > 0 {
                digits(chome, false, out);
                out.push_str("丁目");
            }
            digits(block, false, out);
            out.push_str("番地");
            digits(house, false, out);
        }
        AddressStyle::HalfWidth | AddressStyle::FullWidth => {
            let wide = style == AddressStyle::FullWidth;
            for (index, number) in numbers.into_iter().filter(|&n| n > 0).enumerate() {
                if index > 0 {
                    out.push(if wide { '－' } else { '-' });
                }
                digits(number, wide, out);
            }
        }
    }
}

/// Appends a number in half- or full-width digits.
fn digits(number: u32, wide: bool, out: &mut String) {
    if number >= 10 {
        digits(number / 10, wide, out);
    }
    let zero = if wide {
        u32::from('０')
    } else {
        u32::from('0')
    };
    out.push(char::from_u32(zero + number % 10).unwrap_or('0'));
}
