//! A real Cyrus IMAP of one's own.

use std::io;

use super::rig::{Place, Recipe, Rig, Seclusion, unpacked};
use super::{PASSWORD, Server, USERS};

/// Cyrus logs to `/dev/log` alone, which a container may not have: it gets a `/dev` with one.
const SCRIPT: &str = r#"
set -e
mkdir "$0/dev"
mount -t tmpfs -o mode=755 none "$0/dev"
for node in null zero random urandom; do
    touch "$0/dev/$node"
    mount --bind "/dev/$node" "$0/dev/$node"
done
ln -s /proc/self/fd "$0/dev/fd"
mkdir -m 1777 "$0/dev/shm"
ln -s "$0/syslog" "$0/dev/log"
mount --rbind "$0/dev" /dev
while read -r user password; do
    printf %s "$password" | /usr/sbin/saslpasswd2 -p -c -f "$0/sasldb2" -u localhost "$user"
done < "$0/users"
for part in conf spool proc lock socket search sieve sasldb2 tls; do chown -R cyrus:mail "$0/$part"; done
cd "$0"
{ /usr/lib/cyrus/bin/master -C "$0/imapd.conf" -M "$0/cyrus.conf" -p "$0/master.pid"; touch "$0/exited"; } &
exec cat > /dev/null
"#;

const IMAPD_CONF: &str = r"
configdirectory: @DIR@/conf
defaultpartition: default
partition-default: @DIR@/spool
proc_path: @DIR@/proc
mboxname_lockpath: @DIR@/lock
idlesocket: @DIR@/socket/idle
notifysocket: @DIR@/socket/notify
lmtpsocket: @DIR@/socket/lmtp
sievedir: @DIR@/sieve
servername: localhost
admins: cyrus
altnamespace: yes
unixhierarchysep: yes
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: @DIR@/sasldb2
sasl_mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256
tls_server_cert: @DIR@/tls/server.pem
tls_server_key: @DIR@/tls/server.key
tls_client_ca_file: @DIR@/tls/ca.pem
tls_session_timeout: 0
autocreate_quota: 20000000
autocreate_inbox_folders: Drafts | Sent | Trash
autocreate_subscribe_folders: Drafts | Sent | Trash
xlist-drafts: Drafts
xlist-sent: Sent
xlist-trash: Trash
specialusealways: yes
annotation_allow_undefined: yes
imapidlepoll: 1
maxlogins_per_host: 0
maxlogins_per_user: 0
maxmessagesize: 0
umask: 077
";

const CYRUS_CONF: &str = r#"
START {
  recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -C @DIR@/imapd.conf -r"
  idled cmd="@DIR@/bin/idled -C @DIR@/imapd.conf"
}
SERVICES {
  imap cmd="@DIR@/bin/imapd -C @DIR@/imapd.conf" listen="127.0.0.1:@PLAIN@" prefork=1
  imaps cmd="@DIR@/bin/imapd -C @DIR@/imapd.conf -s" listen="127.0.0.1:@TLS@" prefork=1
}
EVENTS {
  checkpoint cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -C @DIR@/imapd.conf -c" period=30
}
"#;

/// A private Cyrus on free ports of 127.0.0.1, with a directory of its own below `/tmp`; dropping it stops it.
///
/// Its users are [`USERS`], all with [`PASSWORD`]. Their mailboxes are made at the first login. It needs root, as
/// Cyrus drops to a user of its own, and `unshare`.
#[derive(Debug)]
pub struct Cyrus(Rig);

impl Cyrus {
    /// Starts a server and waits until it takes logins.
    ///
    /// Returns `None`, and says on stderr which test is left out, when Cyrus was not unpacked by `tests/servers/unpack`,
    /// or this is not root.
    ///
    /// # Panics
    ///
    /// When Cyrus is there but does not start, and instead of `None` when `IMAP_TESTS_REQUIRE_SERVERS` is set.
    pub fn start() -> Option<Self> {
        Rig::start(&Recipe {
            name: "Cyrus",
            needs: vec![
                "/usr/lib/cyrus/bin/master".into(),
                "/usr/sbin/saslpasswd2".into(),
                unpacked("cyrus").join("usr/lib/cyrus/bin/imapd"),
            ],
            required_by: "IMAP_TESTS_REQUIRE_SERVERS",
            seclusion: Seclusion::Required,
            prepare: &prepare,
            script: SCRIPT,
            log: "log",
        })
        .map(Self)
    }
}

impl Server for Cyrus {
    fn rig(&self) -> &Rig {
        &self.0
    }
}

fn prepare(place: &Place) -> io::Result<()> {
    place.directories(&["spool", "proc", "lock", "socket", "search", "sieve", "conf"])?;
    place.directories(&["conf/db", "conf/proc", "conf/user", "conf/quota", "conf/log", "conf/msg", "conf/sieve"])?;
    place.copy_programs(&unpacked("cyrus").join("usr/lib/cyrus/bin"), &["imapd", "idled"])?;
    place.write("imapd.conf", IMAPD_CONF)?;
    place.write("cyrus.conf", CYRUS_CONF)?;
    place.write("users", &USERS.map(|user| format!("{user} {PASSWORD}\n")).concat())
}
