//! What the people write.

use super::person::LANGUAGES;

/// A few messages per language, in the order of the languages of [`super::person`].
const TEXTS: [&[&str]; LANGUAGES] = [
    &[
        "您好，请问这款产品还有货吗？",
        "我想了解一下企业版的价格，谢谢！",
        "登录的时候一直提示“网络错误”，怎么办？",
        "功能很好用，希望能增加导出 Excel 的选项 👍",
    ],
    &[
        "Здравствуйте! Сколько стоит доставка в Минск?",
        "Подскажите, пожалуйста, когда будет готов мой заказ?",
        "После обновления всё перестало работать :(",
        "Спасибо, всё отлично! Ещё бы тёмную тему…",
    ],
    &[
        "Xin chào, tôi muốn hỏi giá gói doanh nghiệp ạ.",
        "Ứng dụng bị lỗi khi tôi đăng nhập, nhờ hỗ trợ giúp.",
        "Đơn hàng của tôi đến đâu rồi? Cảm ơn!",
    ],
    &[
        "مرحبا، كم سعر النسخة الكاملة؟",
        "لا أستطيع تسجيل الدخول منذ الأمس.",
        "شكرا جزيلا، خدمة ممتازة!",
    ],
    &[
        "Hello, do you ship to the Azores? \"Express\", if possible.",
        "It fails with {{error}} \\ 50% of the time; see C:\\temp\\log.txt",
        "¿Tienen descuento para 25 usuarios? <b>Gracias</b>",
        "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich",
    ],
    &[
        "👋🏽 need help plz 😭😭😭",
        "💯💯💯 best app ever 👨‍👩‍👧‍👦",
        "🇻🇳🇨🇳🇧🇾 worldwide shipping? ✈️",
    ],
];

/// A short message in this language.
pub fn short(language: usize, choice: usize) -> &'static str {
    let texts = TEXTS[language % LANGUAGES];
    texts[choice % texts.len()]
}

/// A message of about `bytes` bytes: the short ones of a language over and over, in lines.
pub fn long(language: usize, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 256);
    let mut choice = 0;
    while text.len() < bytes {
        text.push_str(short(language, choice));
        text.push('\n');
        choice += 1;
    }
    let end = text.floor_char_boundary(bytes);
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_has_the_wanted_length_and_no_broken_letter() {
        for language in 0..LANGUAGES {
            for bytes in [0, 1, 100, 65_536] {
                let text = long(language, bytes);
                assert!(
                    text.len() <= bytes && text.len() + 4 > bytes,
                    "{language} {bytes} {}",
                    text.len()
                );
            }
        }
    }
}
