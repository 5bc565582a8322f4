//! Carrying out commands: what every state allows, and the way into and out of a mailbox.

use std::collections::BTreeSet;

use super::command::Command;
use super::rules::{Turn, may_renumber};
use super::{Closing, StrictServer};

/// ```text
///  NotAuthenticated --LOGIN--> Authenticated --SELECT--> Selected
///                                    ^------ CLOSE, UNSELECT, failed SELECT ------'
/// ```
#[derive(Debug)]
pub(super) enum State {
    NotAuthenticated,
    Authenticated,
    Selected(Selected),
}

/// The selected mailbox as the client knows it.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) name: String,
    pub(super) read_only: bool,
    /// The UID behind every message sequence number.
    pub(super) view: Vec<u32>,
    /// Every message below this UID was announced.
    told: u32,
    changed: BTreeSet<u32>,
}

impl Selected {
    pub(super) fn flags_changed(&mut self, mailbox: &str, uid: u32) {
        if self.name == mailbox {
            self.changed.insert(uid);
        }
    }
}

impl StrictServer {
    /// Carries out a command that broke no rule and answers it.
    pub(super) fn run(&mut self, tag: String, command: Command) {
        if command == Command::Idle {
            self.line("+ idling");
            self.announce(true);
            self.idle = Some(tag);
            self.turn = Turn::Idle;
            return;
        }
        let expunge = may_renumber(&command);
        let answer = self.perform(&tag, command);
        self.announce(expunge);
        self.line(&format!("{tag} {answer}"));
    }

    fn perform(&mut self, tag: &str, command: Command) -> String {
        use Command as C;
        match command {
            C::Capability => self.capability(),
            C::Noop | C::Check | C::Idle => "OK Done.".into(),
            C::Logout => self.logout(),
            C::Login { user, password } => self.login(&user, &password),
            C::Enable(names) => self.enable(&names),
            C::Id => self.untagged("ID (\"name\" \"strict\")"),
            C::Namespace => self.untagged("NAMESPACE ((\"\" \"/\")) NIL NIL"),
            C::Select { mailbox, read_only } => self.select(mailbox, read_only),
            C::Close => self.close(),
            C::Unselect => self.unselect(),
            C::List { verb, pattern } => self.list(verb, &pattern),
            C::Status { mailbox, items } => self.status(&mailbox, &items),
            C::Create(name) => self.create_mailbox(&name),
            C::Delete(name) => self.delete_mailbox(&name),
            C::Subscribe(name) => self.subscribe_to(name, true),
            C::Unsubscribe(name) => self.subscribe_to(name, false),
            C::Compress => self.compress(),
            C::Rename { from, to } => self.rename_mailbox(&from, to),
            C::Append { mailbox, messages } => self.append(&mailbox, messages),
            C::Fetch { by, set, items } => self.fetch(by, &set, &items),
            C::Search { by, options, charset, keys } => self.search(tag, by, options, charset, keys),
            C::Store { by, set, change, silent, flags } => self.store(by, &set, change, silent, &flags),
            C::Copy { by, set, mailbox } => self.copy(by, &set, &mailbox),
            C::Move { by, set, mailbox } => self.move_messages(by, &set, &mailbox),
            C::Expunge(set) => self.expunge_deleted(set.as_ref()),
        }
    }

    fn untagged(&mut self, data: &str) -> String {
        self.line(&format!("* {data}"));
        "OK Done.".into()
    }

    /// `[CAPABILITY …] `, which counts as read once it is taken.
    pub(super) fn capability_code(&mut self) -> String {
        format!("[{}] ", self.capability_data())
    }

    fn capability_data(&mut self) -> String {
        let list = self.options.capabilities(!matches!(self.state, State::NotAuthenticated));
        let data = format!("CAPABILITY {}", list.join(" "));
        self.to_show = Some(list);
        data
    }

    fn capability(&mut self) -> String {
        let data = self.capability_data();
        self.untagged(&data)
    }

    fn logout(&mut self) -> String {
        self.line("* BYE Logging out.");
        self.closing = Closing::ByLogout;
        self.state = State::NotAuthenticated;
        "OK Bye.".into()
    }

    fn login(&mut self, user: &[u8], password: &[u8]) -> String {
        if user != self.options.user.as_bytes() || password != self.options.password.as_bytes() {
            return "NO [AUTHENTICATIONFAILED] Wrong user or password.".into();
        }
        self.state = State::Authenticated;
        let code = if self.options.capability_in_login { self.capability_code() } else { String::new() };
        format!("OK {code}Logged in.")
    }

    fn enable(&mut self, names: &[String]) -> String {
        let enabled = self.options.utf8_accept && names.iter().any(|name| name == "UTF8=ACCEPT");
        self.utf8_next |= enabled;
        self.untagged(if enabled { "ENABLED UTF8=ACCEPT" } else { "ENABLED" })
    }

    fn compress(&mut self) -> String {
        if self.compressed {
            return "NO [COMPRESSIONACTIVE] DEFLATE runs already.".into();
        }
        self.compressed = true;
        "OK DEFLATE from here on.".into()
    }

    fn select(&mut self, name: String, read_only: bool) -> String {
        self.state = State::Authenticated;
        let Some(mailbox) = self.model.get(&name) else {
            return "NO [NONEXISTENT] No such mailbox.".into();
        };
        let view: Vec<u32> = mailbox.messages.iter().map(|message| message.uid).collect();
        let unseen = mailbox.messages.iter().position(|message| !message.has("\\Seen"));
        let keywords: BTreeSet<&str> = mailbox
            .messages
            .iter()
            .flat_map(|message| message.flags.iter())
            .map(String::as_str)
            .filter(|flag| !flag.starts_with('\\'))
            .collect();
        let system = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";
        let flags = keywords.iter().fold(system.to_owned(), |flags, keyword| format!("{flags} {keyword}"));
        let permanent = if read_only { String::new() } else { format!("{flags} \\*") };
        let (validity, next) = (mailbox.uid_validity, mailbox.uid_next);
        let mut lines = vec![
            format!("* FLAGS ({flags})"),
            format!("* OK [PERMANENTFLAGS ({permanent})] Limited."),
            format!("* {} EXISTS", view.len()),
            "* 0 RECENT".into(),
        ];
        lines.extend(unseen.map(|index| format!("* OK [UNSEEN {}] First unseen.", index + 1)));
        lines.push(format!("* OK [UIDVALIDITY {validity}] UIDs valid."));
        lines.push(format!("* OK [UIDNEXT {next}] Next UID."));
        for line in lines {
            self.line(&line);
        }
        self.state = State::Selected(Selected { name, read_only, view, told: next, changed: BTreeSet::new() });
        format!("OK [{}] Selected.", if read_only { "READ-ONLY" } else { "READ-WRITE" })
    }

    fn close(&mut self) -> String {
        if let State::Selected(Selected { name, read_only: false, .. }) = &self.state
            && let Some(mailbox) = self.model.get_mut(name)
        {
            mailbox.messages.retain(|message| !message.has("\\Deleted"));
        }
        self.unselect()
    }

    fn unselect(&mut self) -> String {
        self.state = State::Authenticated;
        "OK Closed.".into()
    }

    /// Tells the client what changed in the selected mailbox.
    pub(super) fn announce(&mut self, expunge: bool) {
        let State::Selected(selected) = &mut self.state else {
            return;
        };
        let Some(mailbox) = self.model.get(&selected.name) else {
            return;
        };
        let mut lines = Vec::new();
        if expunge {
            for index in (0..selected.view.len()).rev() {
                if mailbox.message(selected.view[index]).is_none() {
                    selected.view.remove(index);
                    lines.push(format!("* {} EXPUNGE", index + 1));
                }
            }
        }
        let known = selected.view.len();
        let told = selected.told;
        selected.view.extend(mailbox.messages.iter().map(|message| message.uid).filter(|&uid| uid >= told));
        selected.told = mailbox.uid_next;
        if selected.view.len() > known {
            lines.push(format!("* {} EXISTS", selected.view.len()));
        }
        for uid in std::mem::take(&mut selected.changed) {
            if let (Ok(index), Some(message)) = (selected.view.binary_search(&uid), mailbox.message(uid)) {
                let flags: Vec<&str> = message.flags.iter().map(String::as_str).collect();
                lines.push(format!("* {} FETCH (UID {uid} FLAGS ({}))", index + 1, flags.join(" ")));
            }
        }
        for line in lines {
            self.line(&line);
        }
    }
}
