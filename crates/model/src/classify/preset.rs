//! Rules to begin with, for customer service in Chinese, English, Russian and Vietnamese.

use super::{RuleSpec, Verdict};
use crate::{
    nearest::nearest,
    problem::{Code, Problem},
};

/// Rules that come with the program.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// Its name in configuration files.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    rules: &'static [PresetRule],
    /// The preset's names of what it decides, in the words of its users.
    names: &'static [(&'static str, &'static str)],
}

#[derive(Debug)]
struct PresetRule {
    name: &'static str,
    category: Option<&'static str>,
    priority: Option<&'static str>,
    words: &'static [&'static [&'static str]],
}

/// Every preset.
pub const PRESETS: [Preset; 2] = [
    Preset {
        name: "customer-service",
        about: "complaints, refunds, faults, offers, orders, invoices, feedback, applications and spam, from words in Chinese, English, \
                Russian and Vietnamese",
        rules: RULES,
        names: &[],
    },
    Preset {
        name: "customer-service-zh",
        about: "the same with Chinese names: 投诉, 技术支持, 销售线索, 产品反馈 …",
        rules: RULES,
        names: &[
            ("complaint", "投诉"),
            ("refund", "退款退货"),
            ("support", "技术支持"),
            ("sales", "销售线索"),
            ("order", "订单物流"),
            ("billing", "账单发票"),
            ("feedback", "产品反馈"),
            ("job", "求职招聘"),
            ("spam", "垃圾信息"),
        ],
    },
];

/// The preset with this name.
///
/// # Errors
/// That there is none, with the nearest name.
pub fn find(name: &str) -> Result<&'static Preset, Problem> {
    PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| {
        let names = || PRESETS.iter().map(|preset| preset.name);
        let hint = nearest(name, names()).map(|near| format!("; did you mean `{near}`?"));
        let detail = format!("there is no preset `{name}`{}", hint.unwrap_or_default());
        let next = format!("Use one of {}.", names().collect::<Vec<_>>().join(", "));
        Problem::new(Code::WrongValue, detail, next)
    })
}

impl Preset {
    /// Its rules as a person would write them.
    pub fn rules(&self) -> Vec<RuleSpec> {
        let named = |name: &'static str| {
            let own = self.names.iter().find(|(known, _)| *known == name);
            own.map_or(name, |(_, own)| own).to_owned()
        };
        let rule = |rule: &PresetRule| RuleSpec {
            name: rule.name.to_owned(),
            words: rule
                .words
                .iter()
                .copied()
                .flatten()
                .map(|word| (*word).to_owned())
                .collect(),
            when: None,
            verdict: Verdict {
                category: rule.category.map(named),
                priority: rule.priority.map(named),
                tags: Vec::new(),
            },
        };
        self.rules.iter().map(rule).collect()
    }
}

const fn rule(
    name: &'static str,
    category: Option<&'static str>,
    priority: Option<&'static str>,
    words: &'static [&'static [&'static str]],
) -> PresetRule {
    PresetRule {
        name,
        category,
        priority,
        words,
    }
}

/// The first that matches decides the category: what hurts most comes first. Urgency is a matter of its own.
#[rustfmt::skip]
const RULES: &[PresetRule] = &[
    rule("urgent", None, Some("urgent"), &[
        &["urgent", "urgently", "asap", "immediately", "right now", "emergency", "as soon as possible"],
        &["紧急", "急需", "立即", "马上", "立刻", "尽快", "十万火急", "緊急", "立刻", "儘快"],
        &["срочн*", "немедленно", "прямо сейчас", "как можно скорее", "экстренн*"],
        &["khẩn cấp", "gấp", "ngay lập tức", "càng sớm càng tốt", "khẩn"],
    ]),
    rule("spam", Some("spam"), Some("low"), &[
        &["unsubscribe", "crypto giveaway", "seo services", "backlinks", "casino", "guest post*", "buy followers"],
        &["博彩", "刷单", "代开发票", "贷款秒批", "加微信领红包", "群发软件"],
        &["казино", "продвижение сайт*", "накрутк*", "отписаться от рассылки", "быстрые займы"],
        &["cờ bạc", "vay nóng", "tăng follow", "dịch vụ seo"],
    ]),
    rule("complaint", Some("complaint"), Some("high"), &[
        &["complaint*", "complain*", "unacceptable", "terrible", "worst", "disappointed", "lawyer", "sue you", "scam*", "fraud*", "rude"],
        &["投诉", "举报", "欺骗", "骗人", "骗子", "太差", "差评", "态度恶劣", "曝光", "消协", "律师", "維權", "维权", "投訴"],
        &["жалоб*", "жалуюсь", "претензи*", "безобрази*", "ужасн*", "обман*", "мошенни*", "в суд", "роспотребнадзор", "возмущ*"],
        &["khiếu nại", "phàn nàn", "lừa đảo", "thất vọng", "quá tệ", "tệ hại", "tố cáo", "thái độ"],
    ]),
    rule("refund", Some("refund"), Some("high"), &[
        &["refund*", "money back", "chargeback", "return the item", "return my order", "cancel my order"],
        &["退款", "退货", "退钱", "取消订单", "退換", "退换", "退款申请", "退貨"],
        &["возврат*", "верните деньги", "вернуть деньги", "вернуть товар", "отменить заказ", "отмена заказа"],
        &["hoàn tiền", "trả hàng", "trả lại hàng", "hủy đơn", "huỷ đơn", "đổi trả"],
    ]),
    rule("fault", Some("support"), Some("high"), &[
        &["not working", "doesn't work", "does not work", "broken", "crash*", "outage", "is down", "error*", "bug*", "can't log in", "cannot log in"],
        &["无法", "不能用", "用不了", "打不开", "登录不了", "登不上", "报错", "错误", "故障", "崩溃", "卡死", "闪退", "坏了", "無法", "錯誤"],
        &["не работает", "не работают", "сломал*", "ошибк*", "не могу войти", "не открывается", "зависа*", "вылета*", "сбой", "не загружается"],
        &["không hoạt động", "bị lỗi", "lỗi", "không đăng nhập được", "không vào được", "bị hỏng", "sự cố", "treo máy"],
    ]),
    rule("help", Some("support"), Some("normal"), &[
        &["how do i", "how to", "how can i", "help me", "need help", "support", "reset my password", "password", "install", "set up", "setup"],
        &["怎么用", "如何使用", "怎么操作", "使用方法", "教程", "帮助", "请问怎么", "忘记密码", "密码", "安装", "设置", "技术支持"],
        &["как сделать", "как настроить", "как установить", "как пользоваться", "помогите", "нужна помощь", "поддержк*", "забыл пароль", "парол*", "инструкци*"],
        &["làm sao", "làm thế nào", "hướng dẫn", "hỗ trợ", "giúp tôi", "quên mật khẩu", "mật khẩu", "cài đặt", "cách sử dụng"],
    ]),
    rule("billing", Some("billing"), Some("normal"), &[
        &["invoice*", "receipt*", "billing", "charged twice", "payment failed", "vat", "bank transfer"],
        &["发票", "账单", "对公", "付款失败", "扣费", "重复扣款", "充值", "收据", "發票", "帳單"],
        &["счёт-фактур*", "счёт на оплату", "выставите счёт", "чек", "оплат*", "списали", "квитанци*", "акт сверки"],
        &["hóa đơn", "hoá đơn", "biên lai", "thanh toán lỗi", "trừ tiền", "xuất hóa đơn", "chuyển khoản"],
    ]),
    rule("order", Some("order"), Some("normal"), &[
        &["my order", "order status", "tracking number", "track my", "delivery", "shipping", "shipment", "parcel", "where is my"],
        &["订单", "快递", "物流", "发货", "到货", "单号", "什么时候到", "派送", "訂單", "出貨"],
        &["мой заказ", "статус заказа", "где заказ", "где мой", "доставк*", "трек-номер", "посылк*", "отправили"],
        &["đơn hàng", "giao hàng", "vận chuyển", "mã vận đơn", "bao giờ giao", "khi nào giao", "kiện hàng"],
    ]),
    rule("sales", Some("sales"), Some("normal"), &[
        &["price*", "pricing", "quote", "quotation", "how much", "discount*", "demo", "trial", "buy", "purchase", "wholesale", "reseller", "interested in", "sales team"],
        &["价格", "报价", "多少钱", "优惠", "折扣", "试用", "演示", "购买", "采购", "批发", "代理", "加盟", "合作", "咨询产品", "價格", "報價", "購買"],
        &["цен*", "стоимост*", "сколько стоит", "прайс*", "скидк*", "коммерческое предложение", "купить", "заказать", "опт*", "демо", "пробный период", "хочу приобрести"],
        &["giá", "báo giá", "bao nhiêu tiền", "bao nhiêu", "giảm giá", "khuyến mãi", "mua", "đặt mua", "dùng thử", "đại lý", "tư vấn", "sỉ"],
    ]),
    rule("feedback", Some("feedback"), Some("low"), &[
        &["suggestion*", "suggest", "feature request", "it would be nice", "feedback", "would be great", "great product", "thank you", "thanks"],
        &["建议", "反馈", "希望增加", "希望能", "功能需求", "改进", "好评", "谢谢", "感谢", "建議"],
        &["предлож*", "пожелани*", "отзыв*", "было бы здорово", "добавьте", "хотелось бы", "спасибо", "благодар*"],
        &["góp ý", "đề xuất", "phản hồi", "mong muốn", "nên thêm", "cảm ơn", "cám ơn"],
    ]),
    rule("job", Some("job"), Some("low"), &[
        &["job application", "vacanc*", "resume", "cv attached", "hiring", "internship"],
        &["招聘", "求职", "简历", "实习", "应聘", "職缺"],
        &["ваканси*", "резюме", "работа у вас", "стажировк*", "трудоустройств*"],
        &["tuyển dụng", "ứng tuyển", "xin việc", "thực tập"],
    ]),
];
