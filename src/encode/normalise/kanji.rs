//! Kanji variants: one character for the several shapes that the same name is written in.
//!
//! Hospitals type the shape on the insurance card or the one their charset has; a health insurer
//! replaces it by a look-alike of JIS levels 1 and 2. NFC and NFKC leave most of them apart
//! (`髙`, `﨑`, `邉`, `𠮷`). The folded form serves recall: two people whose names differ in shape
//! only become equal here.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The character that stands for all its variants; any other character as it is.
///
/// `斎` and `斉` stay apart: they are different characters, though often confused.
#[must_use]
pub fn canonical_kanji(c: char) -> char {
    match c {
        '\u{0}'..FIRST => c,
        FIRST..='\u{FFFF}' => match TABLE.plane_0[c as usize - FIRST as usize] {
            0 => c,
            canonical => char::from_u32(u32::from(canonical)).unwrap_or(c),
        },
        _ => TABLE.beyond.get(&c).copied().unwrap_or(c),
    }
}

/// The first character with variants.
const FIRST: char = '\u{3400}';

/// The map that the National Tax Agency shrinks names of corporations with: characters of JIS levels
/// 3 and 4, each with the one of levels 1 and 2 that stands for it.
const NTA_SHRINK: &str = include_str!("nta_shrink.tsv");

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

/// Both tables in one. [`VARIANTS`] goes before the agency's map: it was made for names of people.
struct Table {
    /// By code point from [`FIRST`]; 0 is no variant.
    plane_0: Vec<u16>,
    /// Past the basic plane.
    beyond: HashMap<char, char>,
}

impl Table {
    fn new() -> Self {
        let mut table = Self {
            plane_0: vec![0; 0x1_0000 - FIRST as usize],
            beyond: HashMap::new(),
        };
        let own = |c: char| match VARIANTS.binary_search_by_key(&c, |(variant, _)| *variant) {
            Ok(index) => VARIANTS[index].1,
            Err(_) => c,
        };
        let lines = NTA_SHRINK.lines().filter(|line| !line.starts_with('#'));
        for (canonical, variants) in lines.filter_map(|line| line.split_once('\t')) {
            for canonical in canonical.chars() {
                let variants = variants.chars();
                variants.for_each(|variant| table.put(variant, own(canonical)));
            }
        }
        for (variant, canonical) in VARIANTS {
            table.put(variant, canonical);
        }
        table
    }

    fn put(&mut self, variant: char, canonical: char) {
        let code = u16::try_from(canonical as u32);
        match self.plane_0.get_mut(variant as usize - FIRST as usize) {
            // Every canonical character is of the basic plane: JIS levels 1 and 2 are.
            Some(slot) => *slot = code.unwrap_or_default(),
            None => {
                self.beyond.insert(variant, canonical);
            }
        }
    }
}

/// Whether a character is a kanji, or a mark that only stands among kanji.
#[must_use]
pub fn is_kanji(c: char) -> bool {
    matches!(
        c,
        '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}'
            | '々' | '〆' | '〇'
    )
}

/// Variant and canonical form, ordered by variant. Old printed forms (`澤`, `廣`), the shapes
/// common in surnames (`髙`, `﨑`, `邉`, `濵`) and hand-written ones (`𠮷`, `圡`, `槗`).
#[rustfmt::skip]
const VARIANTS: [(char, char); 356] = [
    ('㐂', '喜'), ('㓛', '功'), ('㔟', '勢'), ('㟢', '崎'), ('亊', '事'), ('亞', '亜'), ('亰', '京'),
    ('仭', '仞'), ('佛', '仏'), ('來', '来'), ('侫', '佞'), ('假', '仮'), ('傳', '伝'), ('價', '価'),
    ('儉', '倹'), ('兒', '児'), ('兔', '兎'), ('內', '内'), ('兩', '両'), ('冐', '冒'), ('冝', '宜'),
    ('冨', '富'), ('冩', '写'), ('凉', '涼'), ('凜', '凛'), ('刄', '刃'), ('劍', '剣'), ('劎', '剣'),
    ('劒', '剣'), ('劔', '剣'), ('勳', '勲'), ('勵', '励'), ('卆', '卒'), ('卋', '世'), ('卷', '巻'),
    ('卽', '即'), ('吳', '呉'), ('單', '単'), ('嚴', '厳'), ('國', '国'), ('圍', '囲'), ('圓', '円'),
    ('圖', '図'), ('團', '団'), ('圡', '土'), ('埜', '野'), ('堯', '尭'), ('增', '増'), ('壯', '壮'),
    ('壹', '壱'), ('壽', '寿'), ('奧', '奥'), ('孃', '嬢'), ('學', '学'), ('實', '実'), ('寫', '写'),
    ('寬', '寛'), ('寶', '宝'), ('將', '将'), ('專', '専'), ('對', '対'), ('尙', '尚'), ('屆', '届'),
    ('峯', '峰'), ('峽', '峡'), ('嵜', '崎'), ('嶋', '島'), ('嶌', '島'), ('嶹', '島'), ('嶽', '岳'),
    ('巖', '巌'), ('巢', '巣'), ('帶', '帯'), ('并', '並'), ('廣', '広'), ('廳', '庁'), ('弌', '一'),
    ('弍', '弐'), ('彈', '弾'), ('彌', '弥'), ('徑', '径'), ('從', '従'), ('德', '徳'), ('忰', '悴'),
    ('恆', '恒'), ('悅', '悦'), ('悳', '徳'), ('惠', '恵'), ('惪', '徳'), ('應', '応'), ('懷', '懐'),
    ('戀', '恋'), ('戲', '戯'), ('戶', '戸'), ('拂', '払'), ('拜', '拝'), ('擇', '択'), ('擧', '挙'),
    ('收', '収'), ('敍', '叙'), ('敎', '教'), ('敕', '勅'), ('數', '数'), ('斷', '断'), ('旣', '既'),
    ('昻', '昂'), ('晉', '晋'), ('晚', '晩'), ('晝', '昼'), ('曆', '暦'), ('曉', '暁'), ('曺', '曹'),
    ('曻', '昇'), ('曾', '曽'), ('會', '会'), ('栁', '柳'), ('桒', '桑'), ('桝', '枡'), ('桺', '柳'),
    ('條', '条'), ('榮', '栄'), ('槇', '槙'), ('槗', '橋'), ('槪', '概'), ('樂', '楽'), ('樓', '楼'),
    ('樞', '枢'), ('樣', '様'), ('橫', '横'), ('檜', '桧'), ('櫻', '桜'), ('權', '権'), ('歐', '欧'),
    ('步', '歩'), ('歷', '歴'), ('歸', '帰'), ('殘', '残'), ('殼', '殻'), ('每', '毎'), ('氣', '気'),
    ('淚', '涙'), ('淸', '清'), ('淺', '浅'), ('渊', '淵'), ('渕', '淵'), ('滿', '満'), ('澁', '渋'),
    ('澤', '沢'), ('濕', '湿'), ('濟', '済'), ('濤', '涛'), ('濱', '浜'), ('濵', '浜'), ('瀧', '滝'),
    ('瀨', '瀬'), ('灣', '湾'), ('煕', '熙'), ('熈', '熙'), ('爐', '炉'), ('爭', '争'), ('爲', '為'),
    ('犧', '犠'), ('獨', '独'), ('獵', '猟'), ('瑤', '瑶'), ('產', '産'), ('畫', '画'), ('當', '当'),
    ('疊', '畳'), ('發', '発'), ('盜', '盗'), ('盡', '尽'), ('眞', '真'), ('碎', '砕'), ('礪', '砺'),
    ('祕', '秘'), ('祿', '禄'), ('禮', '礼'), ('禰', '祢'), ('禱', '祷'), ('稅', '税'), ('稱', '称'),
    ('稻', '稲'), ('穐', '秋'), ('穗', '穂'), ('穩', '穏'), ('穰', '穣'), ('竃', '竈'), ('竒', '奇'),
    ('竝', '並'), ('籔', '藪'), ('粹', '粋'), ('絋', '紘'), ('絲', '糸'), ('經', '経'), ('綠', '緑'),
    ('綫', '線'), ('緖', '緒'), ('緜', '綿'), ('縂', '総'), ('縣', '県'), ('縱', '縦'), ('總', '総'),
    ('繩', '縄'), ('繪', '絵'), ('繼', '継'), ('續', '続'), ('纖', '繊'), ('羣', '群'), ('翆', '翠'),
    ('耻', '恥'), ('聨', '聯'), ('聰', '聡'), ('聲', '声'), ('聽', '聴'), ('肅', '粛'), ('脫', '脱'),
    ('腦', '脳'), ('膽', '胆'), ('臟', '臓'), ('臺', '台'), ('與', '与'), ('舊', '旧'), ('舖', '舗'),
    ('舘', '館'), ('舩', '船'), ('莊', '荘'), ('菟', '莵'), ('萠', '萌'), ('萬', '万'), ('蔣', '蒋'),
    ('蔴', '麻'), ('蕐', '華'), ('薮', '藪'), ('藏', '蔵'), ('藝', '芸'), ('藥', '薬'), ('蘆', '芦'),
    ('蘒', '萩'), ('蘓', '蘇'), ('處', '処'), ('虛', '虚'), ('號', '号'), ('螢', '蛍'), ('蟲', '虫'),
    ('蠟', '蝋'), ('蠣', '蛎'), ('蠶', '蚕'), ('衞', '衛'), ('裝', '装'), ('裵', '裴'), ('襃', '褒'),
    ('覺', '覚'), ('覽', '覧'), ('觀', '観'), ('觸', '触'), ('說', '説'), ('讀', '読'), ('變', '変'),
    ('讓', '譲'), ('豐', '豊'), ('貮', '弐'), ('貳', '弐'), ('賣', '売'), ('賴', '頼'), ('贊', '賛'),
    ('踐', '践'), ('軆', '体'), ('輕', '軽'), ('轉', '転'), ('辭', '辞'), ('迯', '逃'), ('逹', '達'),
    ('遙', '遥'), ('遞', '逓'), ('遲', '遅'), ('邉', '辺'), ('邊', '辺'), ('邨', '村'), ('郞', '郎'),
    ('鄉', '郷'), ('鄕', '郷'), ('鄰', '隣'), ('醫', '医'), ('釋', '釈'), ('釡', '釜'), ('鉤', '鈎'),
    ('銳', '鋭'), ('鋪', '舗'), ('錄', '録'), ('錢', '銭'), ('鍊', '錬'), ('鎭', '鎮'), ('鎻', '鎖'),
    ('鐵', '鉄'), ('鑄', '鋳'), ('鑛', '鉱'), ('閇', '閉'), ('閒', '間'), ('閱', '閲'), ('關', '関'),
    ('隝', '島'), ('隨', '随'), ('險', '険'), ('隱', '隠'), ('雙', '双'), ('雜', '雑'), ('霸', '覇'),
    ('靈', '霊'), ('靑', '青'), ('靜', '静'), ('頚', '頸'), ('頰', '頬'), ('頴', '穎'), ('顏', '顔'),
    ('顯', '顕'), ('飜', '翻'), ('飮', '飲'), ('餘', '余'), ('餝', '飾'), ('騷', '騒'), ('驒', '騨'),
    ('驗', '験'), ('驛', '駅'), ('髓', '髄'), ('體', '体'), ('髙', '高'), ('鬪', '闘'), ('鬭', '闘'),
    ('鯵', '鰺'), ('鳬', '鳧'), ('鴬', '鶯'), ('鷄', '鶏'), ('鷗', '鴎'), ('鸎', '鶯'), ('鹽', '塩'),
    ('麥', '麦'), ('麪', '麺'), ('麴', '麹'), ('麵', '麺'), ('黃', '黄'), ('黑', '黒'), ('默', '黙'),
    ('點', '点'), ('齊', '斉'), ('齋', '斎'), ('齒', '歯'), ('齡', '齢'), ('龍', '竜'), ('龜', '亀'),
    ('﨑', '崎'), ('﨔', '欅'), ('﨟', '臈'), ('𠮷', '吉'), ('𣘺', '橋'), ('𩵋', '魚'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_ordered_and_ends_in_one_step() {
        assert!(VARIANTS.is_sorted_by(|a, b| a.0 < b.0));
        for (variant, canonical) in VARIANTS {
            assert_eq!(canonical_kanji(variant), canonical);
            assert_eq!(canonical_kanji(canonical), canonical);
        }
    }

    #[test]
    fn every_character_folds_in_one_step() {
        let mut variants = 0;
        for c in ('\u{3400}'..='\u{2FFFF}').filter(|c| is_kanji(*c)) {
            let canonical = canonical_kanji(c);
            assert_eq!(canonical_kanji(canonical), canonical, "U+{:04X}", c as u32);
            variants += u32::from(canonical != c);
        }
        assert!(variants > 1_000, "both tables are in: {variants}");
        // Of the agency's map alone, of both (through 邊 to 辺), and past the basic plane.
        for (variant, canonical) in [('弎', '三'), ('㚖', '沢'), ('𠀋', '丈'), ('邊', '辺')]
        {
            assert_eq!(canonical_kanji(variant), canonical);
        }
    }

    #[test]
    fn different_characters_stay_apart() {
        assert_eq!(canonical_kanji('齋'), '斎');
        assert_eq!(canonical_kanji('齊'), '斉');
        assert_eq!(canonical_kanji('碕'), '碕');
    }
}
