//! What the console says, in Japanese and English.

/// Language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// 日本語
    Japanese,
    /// English
    English,
}

impl Language {
    /// The query decides (`lang=ja`, `lang=en`), then the first language of the browser that the
    /// console knows, then English.
    pub(super) fn choose(query: Option<&str>, accepted: Option<&str>) -> Self {
        let asked = query
            .into_iter()
            .flat_map(|query| query.split('&'))
            .find_map(|pair| pair.strip_prefix("lang="))
            .and_then(Self::known);
        let preferred = || {
            let tags = accepted?.split(',');
            tags.map(str::trim).find_map(Self::known)
        };
        asked.or_else(preferred).unwrap_or(Self::English)
    }

    fn known(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', ';']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("ja") {
            Some(Self::Japanese)
        } else if primary.eq_ignore_ascii_case("en") {
            Some(Self::English)
        } else {
            None
        }
    }

    /// Tag of the language, as in `<html lang>`.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Japanese => "ja",
            Self::English => "en",
        }
    }

    /// What the page says.
    pub(super) fn text(self) -> &'static Text {
        match self {
            Self::Japanese => &JAPANESE,
            Self::English => &ENGLISH,
        }
    }
}

macro_rules! texts {
    ($($key:ident: $japanese:literal, $english:literal;)*) => {
        /// Every text of the page.
        pub(super) struct Text {
            $(pub(super) $key: &'static str,)*
        }
        const JAPANESE: Text = Text { $($key: $japanese,)* };
        const ENGLISH: Text = Text { $($key: $english,)* };
    };
}

texts! {
    title: "musubi 連結の概要", "musubi linkage overview";
    tagline: "プライバシー保護レコード連結", "Privacy-preserving record linkage";
    language: "表示言語", "Language";
    skip: "本文へ", "Skip to content";
    profile: "連結プロファイル", "Linkage profile";
    fingerprint: "フィンガープリント", "Fingerprint";
    epoch: "エポック", "Epoch";
    people_found: "見つかった人数", "People found";
    people_counted: "推定人数（95 % 区間）", "Estimated people (95 % interval)";
    people_counted_note: "結び漏れと誤りの推定を差し引いた人数", "Entities, corrected for links missed and links that are false";
    people_unit: "人", "people";
    records_into_people: "すべてのレコードを人ごとに結んだ結果です。", "What all records come to, once tied together by person.";
    run_of: "実行日時", "Run of";
    run_id: "実行ID", "Run ID";
    records: "レコード", "Records";
    records_note: "提供元から受け入れた件数", "taken in from the sources";
    pairs: "候補ペア", "Candidate pairs";
    pairs_note: "比較したペア数", "compared with each other";
    links: "リンク", "Links";
    links_note: "同一人物と判定したペア", "pairs decided to be one person";
    reviews: "要確認", "Reviews";
    reviews_note: "判定を保留したペア", "pairs left for a person to judge";
    set_aside: "不採用リンク", "Links set aside";
    set_aside_note: "クラスタリングで採用しなかったもの", "not used by clustering";
    expected_precision: "期待適合率", "Expected precision";
    expected_note: "提供元をまたぐリンクの正解率の推定（95%区間）", "estimated share of links between sources that are right";
    rare: "まれな値", "rare value";
    usual: "普通の値", "usual value";
    common: "よくある値", "common value";
    histogram: "マッチウェイトの分布", "Match weights of all candidate pairs";
    histogram_lead: "右へ行くほど同一人物である証拠が強いペアです。縦軸は対数目盛です。", "Further right means more evidence for one person. The vertical scale is logarithmic.";
    histogram_empty: "候補ペアがないため、分布はありません。", "There was no candidate pair, so there is nothing to draw.";
    weight_axis: "マッチウェイト（ビット）", "Match weight (bits)";
    pair_axis: "ペア数（対数）", "Pairs (log scale)";
    lower: "下側しきい値", "Lower threshold";
    upper: "上側しきい値", "Upper threshold";
    bits: "ビット", "bits";
    region_non_link: "別人", "Non-link";
    region_review: "要確認", "Review";
    region_link: "同一人物", "Link";
    rule: "しきい値の決め方", "How the thresholds were chosen";
    rule_target: "リンクの期待適合率が {} 以上となる最小の値（オッズ 1:1 を下回らない）",
        "The lowest cut, not below even odds, at which {} of links are expected to be right";
    rule_false_links: "1,000 人あたりの期待誤リンクが {} 以下となる最小の値（オッズ 1:1 を下回らない）",
        "The lowest cut, not below even odds, at which at most {} false links are expected for 1,000 people";
    rule_given: "実行時に指定", "Given with the run";
    prior: "事前確率 λ", "Prior λ";
    as_table: "分布を表で見る", "The histogram as a table";
    from_bits: "下限（ビット）", "From (bits)";
    to_bits: "上限（ビット）", "To (bits)";
    decision: "判定", "Decision";
    share: "割合", "Share";
    decisions_caption: "ペアの判定", "Decisions on pairs";
    by_source: "提供元別レコード数", "Records per source";
    source: "提供元", "Source";
    submissions: "受入回数", "Submissions";
    total: "合計", "Total";
    sizes: "一人あたりのレコード数", "Records per person";
    size: "レコード数", "Records";
    people: "人数", "People";
    or_more: "以上", "or more";
    model: "推定モデル", "The estimated model";
    model_lead: "各比較の一致段階ごとに、同一人物で起きる確率 m と別人で起きる確率 u、その比から得られる重みを示します。", "For each agreement level: how often it is seen in pairs of one person (m) and of two persons (u), and the weight of evidence that follows.";
    comparison: "比較項目", "Comparison";
    level: "一致段階", "Agreement level";
    disagree: "不一致", "disagree";
    probability_m: "m（同一人物）", "m (one person)";
    probability_u: "u（別人）", "u (two persons)";
    weight: "重み（ビット）", "Weight (bits)";
    steps: "処理時間", "Time per step";
    step: "処理", "Step";
    duration: "時間", "Time";
    items: "件数", "Items";
    warnings: "注意事項", "Please note";
    capped: "大きすぎるため比較しなかったブロック", "Blocks left out because they were too large";
    running: "連結を実行中です", "A linkage run is under way";
    running_note: "このページは自動的に更新されます。", "This page refreshes by itself.";
    last_result: "以下は前回の結果です。", "Below is the result of the run before.";
    failed: "直近の実行は失敗しました", "The newest run failed";
    failed_note: "この実行による公開はありません。原因を除いてから、もう一度実行してください。", "It published nothing. Remove the cause, then start it again.";
    empty_title: "まだ連結が行われていません", "Nothing has been linked yet";
    empty_records: "レコードは届いています。連結を開始すると、見つかった人数と判定の分布がここに表示されます。", "Records have come in. Start a run, and this page will show the people found and how the decisions fell.";
    empty_nothing: "レコードがまだ届いていません。まず提供元で符号化して提出し、次に連結を開始してください。", "No record has come in. First encode and submit at a source, then start a run.";
    step_encode: "提供元で符号化する", "Encode at a source";
    step_submit: "符号化ファイルを提出する", "Submit the encoding file";
    step_link: "連結を開始する", "Start a run";
    footer: "この画面が示すのは件数と分布だけです。氏名などの識別情報はサーバーに届いていません。", "This page shows counts and distributions only. Names and other identifying fields never reach this server.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_wins_over_the_browser() {
        let choose = Language::choose;
        assert_eq!(
            choose(Some("lang=ja"), Some("en-US,en;q=0.9")),
            Language::Japanese
        );
        assert_eq!(choose(Some("x=1&lang=en"), Some("ja")), Language::English);
        assert_eq!(
            choose(Some("lang=fr"), Some("ja-JP,en;q=0.5")),
            Language::Japanese
        );
        assert_eq!(choose(None, Some("fr, ja;q=0.8")), Language::Japanese);
        assert_eq!(choose(None, Some("fr")), Language::English);
        assert_eq!(choose(None, None), Language::English);
    }
}
