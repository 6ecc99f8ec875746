//! The two languages of the pages: every word that is not of a card.

use yaojia_models::card::{BadSide, Chain, Class, How, Level, MeasureKind, RuleLevel, RuleTag, Standing, SubjectKind};

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// Simplified Chinese.
    Chinese,
    /// English.
    English,
}

impl Tongue {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Chinese, Self::English];

    /// The folder of its pages.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::English => "en",
        }
    }

    /// The word of this language.
    pub(super) const fn of(self, chinese: &'static str, english: &'static str) -> &'static str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }

    pub(super) const fn class(self, class: Class) -> &'static str {
        match class {
            Class::Verify => self.of("核实处理", "to be verified (核实处理)"),
            Class::Remind => self.of("预警提醒", "to be reminded of (预警提醒)"),
            Class::Share => self.of("数据共享", "to be known (数据共享)"),
        }
    }

    pub(super) const fn chain(self, chain: Chain) -> &'static str {
        match chain {
            Chain::Tender => self.of("招", "tender and listing (招)"),
            Chain::Purchase => self.of("采", "purchase (采)"),
            Chain::Deliver => self.of("配", "delivery (配)"),
            Chain::Use => self.of("用", "use (用)"),
            Chain::Manage => self.of("管", "supervision and payment (管)"),
        }
    }

    pub(super) const fn subject(self, kind: SubjectKind) -> &'static str {
        match kind {
            SubjectKind::Institution => self.of("医疗机构", "institution"),
            SubjectKind::Enterprise => self.of("企业", "enterprise"),
            SubjectKind::Pharmacy => self.of("零售药店", "pharmacy"),
            SubjectKind::Product => self.of("产品", "product"),
            SubjectKind::Area => self.of("区划", "area"),
        }
    }

    pub(super) const fn bad_side(self, side: BadSide) -> &'static str {
        match side {
            BadSide::Low => self.of("偏低为差", "low values are bad"),
            BadSide::High => self.of("偏高为差", "high values are bad"),
            BadSide::Both => self.of("两端为差", "both ends are bad"),
            BadSide::None => self.of("不分好坏", "the value only informs"),
        }
    }

    pub(super) const fn formula(self, kind: MeasureKind) -> &'static str {
        match kind {
            MeasureKind::Ratio => self.of("分子 ÷ 分母", "numerator ÷ denominator"),
            MeasureKind::RatioMinusOne => self.of("分子 ÷ 分母 − 1", "numerator ÷ denominator − 1"),
            MeasureKind::OneMinusRatio => self.of("1 − 分子 ÷ 分母", "1 − numerator ÷ denominator"),
            MeasureKind::Difference => self.of("分子 − 分母", "numerator − denominator"),
            MeasureKind::Sum => self.of("合计", "sum"),
            MeasureKind::Count => self.of("计数", "count"),
            MeasureKind::Value => self.of("由SQL给出", "given by the SQL"),
        }
    }

    pub(super) const fn how(self, how: How) -> &'static str {
        match how {
            How::Sum => self.of("各主体相加后再算", "sums of all subjects"),
            How::Shown => self.of("各主体相加，只展示", "sums of all subjects, only shown"),
            How::Amount => self.of("预警与核实主体的涉及金额之和", "amounts at risk of the subjects in warn or verify"),
            How::AmountNumerator => self.of("各主体分子之和", "numerators of all subjects"),
            How::Own => self.of("由SQL给出", "given by the SQL"),
            How::None => self.of("无", "none"),
        }
    }

    pub(super) const fn level(self, level: Level) -> &'static str {
        match level {
            Level::Subject => self.of("主体", "subject"),
            Level::County => self.of("县市", "county"),
            Level::Region => self.of("地区", "region"),
        }
    }

    pub(super) const fn rule_level(self, level: RuleLevel) -> &'static str {
        match level {
            RuleLevel::Off => self.of("停用", "off"),
            RuleLevel::Watch => self.of("关注 watch", "watch"),
            RuleLevel::Warn => self.of("预警 warn", "warn"),
            RuleLevel::Verify => self.of("核实 verify", "verify"),
        }
    }

    pub(super) const fn tag(self, tag: RuleTag) -> &'static str {
        match tag {
            RuleTag::S => self.of("S 有出处", "S sourced"),
            RuleTag::I => self.of("I 我方设定", "I ours"),
            RuleTag::SI => self.of("S/I 有出处，数值我方设定", "S/I sourced, our number"),
        }
    }

    pub(super) const fn standing(self, standing: Standing) -> &'static str {
        match standing {
            Standing::Own => self.of("自定", "our own"),
            Standing::Reconstruction => self.of("重建", "reconstruction"),
            Standing::Official => self.of("官方", "official"),
        }
    }
}
