use imap_tokio::wire::Text;
use mail_parser::MessageParser;

/// Takes the encoded words out of a header's text (RFC 2047).
pub fn decoded(text: Text<'_>) -> String {
    let plain = text.to_str();
    if !plain.contains("=?") {
        return plain.into_owned();
    }
    let header = format!("Subject: {plain}\r\n\r\n");
    let message = MessageParser::default().parse_headers(header.as_bytes());
    message.and_then(|message| message.subject().map(str::to_owned)).unwrap_or_else(|| plain.into_owned())
}
