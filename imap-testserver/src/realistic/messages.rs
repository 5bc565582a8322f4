use super::compose::{Mail, Part};

const ALICE: &str = "Alice Archer <alice@example.org>";
const BORIS: &str =
    "\u{411}\u{43e}\u{440}\u{438}\u{441} \u{41a}\u{440}\u{443}\u{433}\u{43b}\u{43e}\u{432} <boris@example.net>";
const CHLOE: &str = "Chlo\u{e9} Dupont <chloe@example.com>";
const DAVID: &str = "\"Doe, David\" <david@example.net>";

/// The messages of INBOX, oldest first.
pub(super) fn inbox() -> Vec<Vec<u8>> {
    let mut all = vec![welcome(), newsletter(), invitation()];
    all.extend(thread(all.len()));
    all.extend([report(all.len()), photos(all.len() + 1), forwarded(all.len() + 2)]);
    for (subject, body) in SCRIPTS {
        all.push(Mail::new(all.len(), CHLOE, ALICE, subject).text(body));
    }
    let number = all.len();
    all.extend([eight_bit(number), bounce(number + 1), digest(number + 2), long(number + 3), bare(number + 4)]);
    all
}

/// Subjects and bodies in scripts of the world.
const SCRIPTS: [(&str, &str); 7] = [
    (
        "\u{4f1a}\u{8b70}\u{306e}\u{8b70}\u{4e8b}\u{9332}\u{3092}\u{304a}\u{9001}\u{308a}\u{3057}\u{307e}\u{3059}",
        "\u{6dfb}\u{4ed8}\u{3067}\u{3059}\u{3002}\n",
    ),
    (
        "\u{41e}\u{442}\u{447}\u{451}\u{442} \u{437}\u{430} \u{43c}\u{430}\u{440}\u{442}",
        "\u{413}\u{43e}\u{442}\u{43e}\u{432}\u{43e}.\n",
    ),
    ("\u{645}\u{631}\u{62d}\u{628}\u{627} \u{628}\u{643}", "\u{634}\u{643}\u{631}\u{627}\n"),
    (
        "\u{39a}\u{3b1}\u{3bb}\u{3b7}\u{3bc}\u{3ad}\u{3c1}\u{3b1}",
        "\u{3a4}\u{3b9} \u{3ba}\u{3ac}\u{3bd}\u{3b5}\u{3b9}\u{3c2};\n",
    ),
    ("Sch\u{f6}ne Gr\u{fc}\u{df}e aus K\u{f6}ln", "Bis bald!\n"),
    ("\u{1f389} Party on Saturday \u{1f389}", "Bring \u{1f370}.\n"),
    (
        "\u{9879}\u{76ee}\u{8fdb}\u{5ea6}\u{66f4}\u{65b0}\u{ff1a}\u{7b2c}\u{4e09}\u{5b63}\u{5ea6}\u{9884}\u{7b97}\u{548c}\u{4eba}\u{5458}\u{5b89}\u{6392}",
        "\u{89c1}\u{9644}\u{4ef6}\u{3002}\n",
    ),
];

fn welcome() -> Vec<u8> {
    Mail::new(0, "postmaster@example.org", ALICE, "Welcome").text("Your mailbox is ready.\n")
}

fn newsletter() -> Vec<u8> {
    let parts = [
        Part::text("plain", "Spring is here. Read more on our site.\n"),
        Part::text("html", "<html><body><h1>Spring is here</h1>\n<p>Caf\u{e9} in the garden.</p></body></html>\n"),
    ];
    Mail::new(1, "The Gardener <news@gardener.example>", ALICE, "Spring, and what to sow")
        .field("List-Id", "Gardeners <news.gardener.example>")
        .field("List-Unsubscribe", "<https://gardener.example/bye>")
        .parts("alternative", &parts)
}

fn invitation() -> Vec<u8> {
    let event = "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1@example.org\n\
                 DTSTART:20260310T090000Z\nSUMMARY:Planning\nEND:VEVENT\nEND:VCALENDAR\n";
    let parts = [
        Part::text("plain", "Please come.\n"),
        Part::raw(
            "Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n",
            event.replace('\n', "\r\n").as_bytes(),
        ),
    ];
    Mail::new(2, BORIS, ALICE, "Invitation: Planning").parts("alternative", &parts)
}

/// Eight messages, each an answer to the one before.
fn thread(first: usize) -> Vec<Vec<u8>> {
    let says = [
        "When do we release?",
        "Friday?",
        "Not on a Friday.",
        "Then Tuesday. Two of the tests are red, though.",
        "One is mine.",
        "Fixed.",
        "Mine too. Thanks!",
        "Tuesday it is.",
    ];
    let people = [BORIS, ALICE, DAVID];
    let mut messages = Vec::new();
    let mut quoted = String::new();
    for (at, says) in says.into_iter().enumerate() {
        let subject = if at == 0 { "Release plan" } else { "Re: Release plan" };
        let mail = Mail::new(first + at, people[at % 3], ALICE, subject)
            .field("Cc", "team@example.org, Ops <ops@example.org>");
        let before: Vec<_> = (first..first + at).collect();
        let mail = if at == 0 { mail } else { mail.in_thread(&before) };
        messages.push(mail.text(&format!("{says}\n{quoted}")));
        quoted = format!("\n> {says}{}", quoted.replace("\n>", "\n> >"));
    }
    messages
}

fn report(number: usize) -> Vec<u8> {
    let parts = [
        Part::text("plain", "The figures are attached.\n"),
        Part::file("application/pdf; name=\"report.pdf\"", "attachment; filename=\"report.pdf\"; size=30000", 30_000),
        Part::file(
            "application/vnd.ms-excel",
            "attachment;\r\n filename*0*=utf-8''%C3%9Cbersicht;\r\n filename*1*=%202026.xls",
            5_000,
        ),
    ];
    Mail::new(number, DAVID, ALICE, "Report").field("X-Priority", "1").parts("mixed", &parts)
}

fn photos(number: usize) -> Vec<u8> {
    let html = "<p>Look: <img src=\"cid:one@example\"></p>\n";
    let image = Part::file("image/jpeg; name=sea.jpg", "inline; filename=sea.jpg", 12_000);
    let related =
        Part::multipart("related", &[Part::text("html", html), image.with_field("Content-ID", "<one@example>")]);
    let parts = [Part::text("plain", "Look at the sea.\n"), related];
    Mail::new(number, CHLOE, ALICE, "Holidays").parts("alternative", &parts)
}

fn forwarded(number: usize) -> Vec<u8> {
    let parts = [Part::text("plain", "See below.\n"), Part::message(&report(number)), Part::message(&welcome())];
    Mail::new(number, DAVID, ALICE, "Fwd: Report").parts("mixed", &parts)
}

fn eight_bit(number: usize) -> Vec<u8> {
    Mail::new(number, CHLOE, ALICE, "R\u{e9}sum\u{e9}")
        .field("Content-Type", "text/plain; charset=iso-8859-1")
        .field("Content-Transfer-Encoding", "8bit")
        .raw(b"Voil\xe0 le r\xe9sum\xe9.\r\n")
}

fn bounce(number: usize) -> Vec<u8> {
    let status = b"Reporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; nobody@example.net\r\n\
                   Action: failed\r\nStatus: 5.1.1\r\n";
    let parts = [
        Part::text("plain", "It could not be delivered.\n"),
        Part::raw("Content-Type: message/delivery-status\r\n", status),
        Part::message(&sent()),
    ];
    Mail::new(number, "Mail Delivery System <MAILER-DAEMON@example.org>", ALICE, "Undelivered Mail Returned to Sender")
        .field("Auto-Submitted", "auto-replied")
        .parts("report", &parts)
}

fn digest(number: usize) -> Vec<u8> {
    let entry =
        |text: &str| Part::raw("", &Mail::new(number, DAVID, "list@example.org", text).text("Said on the list.\n"));
    Mail::new(number, "list@example.org", "Readers: alice@example.org, Bob <bob@example.org>;", "Digest 17")
        .parts("digest", &[entry("First topic"), entry("Second topic"), entry("Third topic")])
}

fn long(number: usize) -> Vec<u8> {
    let line = "The quick brown fox jumps over the lazy dog, again and again and again.\n";
    Mail::new(number, BORIS, ALICE, "A long story").text(&line.repeat(1500))
}

/// What a machine sends that knows little of mail.
fn bare(_number: usize) -> Vec<u8> {
    b"From: printer@example.org\r\nTo: undisclosed-recipients:;\r\n\r\n".to_vec()
}

pub(super) fn sent() -> Vec<u8> {
    Mail::new(100, ALICE, "nobody@example.net", "Are you there?").text("Hello?\n")
}

pub(super) fn draft() -> Vec<u8> {
    Mail::new(101, ALICE, CHLOE_ADDRESS, "").text("Dear Chlo")
}

const CHLOE_ADDRESS: &str = "chloe@example.com";

pub(super) fn junk() -> Vec<u8> {
    Mail::new(102, "Prince <prince@example.com>", ALICE, "Y0ur inheritance").text("Send money.\n")
}

pub(super) fn project() -> Vec<Vec<u8>> {
    let plan =
        Part::file("image/png; name=\"=?utf-8?Q?Br=C3=BCcke=2Epng?=\"", "attachment; filename=bruecke.png", 2_000);
    vec![
        Mail::new(110, CHLOE, ALICE, "Br\u{fc}cke: Pl\u{e4}ne").parts("mixed", &[Part::text("plain", "Hier.\n"), plan]),
        Mail::new(111, DAVID, ALICE, "Re: Br\u{fc}cke: Pl\u{e4}ne").in_thread(&[110]).text("Danke.\n"),
    ]
}
