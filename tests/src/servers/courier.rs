//! A real Courier-IMAP of one's own.

use std::fs;
use std::io;

use super::rig::{Place, Recipe, Rig, Seclusion, unpacked};
use super::{PASSWORD, Server, USERS};

/// `/etc/courier` and `/run/courier` are compiled in, so the server has its own mounted over them.
///
/// The owner of all mail is `mail`: gamin wants an entry in passwd, else each login is told an ALERT. The abstract socket of
/// its server is seen by all Couriers of a machine but for `GAM_CLIENT_ID`: one that ends took it from the others, whose
/// processes then answered no DONE for a minute. Memory is bounded per process, as Courier's own script has it.
const SCRIPT: &str = r#"
set -e
exec >> "$0/courier.log" 2>&1
mount --bind "$0/etc" /etc/courier
mount --bind "$0/run" /run/courier
cat "$0/tls/server.key" "$0/tls/server.pem" > "$0/etc/imapd.pem"
: > "$0/etc/userdb"
chmod 600 "$0/etc/userdb" "$0/etc/imapd.pem"
hash() { printf '%s\n%s\n' "$password" "$password" | /usr/sbin/userdbpw "$1"; }
while read -r user password; do
    home="$0/mail/$user"
    mkdir -p "$home"
    /usr/bin/maildirmake.courier "$home/Maildir"
    for folder in Drafts Sent Trash; do /usr/bin/maildirmake.courier -f "$folder" "$home/Maildir"; done
    chown -R mail:mail "$home"
    printf '%s\thome=%s|mail=%s|uid=%s|gid=%s|imappw=%s|hmac-md5pw=%s|hmac-sha1pw=%s|hmac-sha256pw=%s\n' \
        "$user" "$home" "$home/Maildir" "$(id -u mail)" "$(id -g mail)" \
        "$(hash -md5)" "$(hash -hmac-md5)" "$(hash -hmac-sha1)" "$(hash -hmac-sha256)" >> "$0/etc/userdb"
done < "$0/users"
chown -R root:courier "$0/etc"
chown -R courier:courier "$0/run"
chown courier "$0/etc/imapd.pem"
cd /
/usr/sbin/makeuserdb
set -a
. "$0/etc/authdaemonrc"
. "$0/etc/imapd"
. "$0/etc/imapd-ssl"
prefix=/usr exec_prefix=/usr sbindir=/usr/sbin bindir=/usr/bin
GAM_CLIENT_ID="${0##*/}"
set +a
{ /usr/lib/courier/courier-authlib/authdaemond; touch "$0/exited"; } &
ulimit -v "$IMAP_ULIMITD"
umask "$IMAP_UMASK"
serve() { # port command…
    port=$1
    shift
    { /usr/sbin/couriertcpd -address=127.0.0.1 -maxprocs=1000 -maxperip=1000 $TCPDOPTS "$port" "$@"; touch "$0/exited"; } &
}
(export IMAP_STARTTLS=YES; serve "$PORT" "$0/bin/imaplogin" "$0/bin/imapd" Maildir)
(export IMAP_TLS=1; serve "$SSLPORT" /usr/bin/couriertls -server -tcpd -user=courier "$0/bin/imaplogin" "$0/bin/imapd" Maildir)
exec cat > /dev/null
"#;

const AUTHDAEMONRC: &str = r#"
authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=3
authdaemonvar=/run/courier/authdaemon
DEBUG_LOGIN=0
DEFAULTOPTIONS=""
LOGGEROPTS=""
"#;

/// What differs from the settings that the package brings.
const IMAPD: &str = r#"
IMAP_CAPABILITY="IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA AUTH=CRAM-MD5 AUTH=CRAM-SHA1 AUTH=CRAM-SHA256 IDLE"
IMAP_CAPABILITY_TLS="$IMAP_CAPABILITY AUTH=PLAIN"
PORT=@PLAIN@
IMAP_ULIMITD=1048576
IMAP_IDLE_TIMEOUT=2
IMAP_MAILBOX_SANITY_CHECK=0
TLS_PROTOCOL="TLS1_2++"
"#;

const IMAPD_SSL: &str = r"
SSLPORT=@TLS@
TLS_CERTFILE=/etc/courier/imapd.pem
TLS_CACHEFILE=
TLS_TRUSTCERTS=@DIR@/tls/ca.pem
";

/// A private Courier-IMAP on free ports of 127.0.0.1, with a directory of its own below `/tmp`; dropping it stops it.
///
/// Its users are [`USERS`], all with [`PASSWORD`] and an empty Maildir. It needs root and `unshare`.
#[derive(Debug)]
pub struct Courier(Rig);

impl Courier {
    /// Starts a server and waits until it takes logins.
    ///
    /// Returns `None`, and says on stderr which test is left out, when Courier was not unpacked by
    /// `tests/servers/unpack`, or this is not root.
    ///
    /// # Panics
    ///
    /// When Courier is there but does not start, and instead of `None` when `IMAP_TESTS_REQUIRE_SERVERS` is set.
    pub fn start() -> Option<Self> {
        Rig::start(&Recipe {
            name: "Courier",
            needs: vec!["/usr/sbin/couriertcpd".into(), unpacked("courier").join("usr/bin/imapd")],
            required_by: "IMAP_TESTS_REQUIRE_SERVERS",
            seclusion: Seclusion::Required,
            prepare: &prepare,
            script: SCRIPT,
            log: "courier.log",
        })
        .map(Self)
    }
}

impl Server for Courier {
    fn rig(&self) -> &Rig {
        &self.0
    }
}

fn prepare(place: &Place) -> io::Result<()> {
    place.directories(&["etc", "etc/shared", "run", "run/authdaemon", "mail"])?;
    let package = unpacked("courier");
    place.copy_programs(&package, &["usr/lib/courier/courier/imaplogin", "usr/bin/imapd"])?;
    let brought = |name: &str| fs::read_to_string(package.join("etc/courier").join(name));
    place.write("etc/imapd", &(brought("imapd")? + IMAPD))?;
    place.write("etc/imapd-ssl", &(brought("imapd-ssl")? + IMAPD_SSL))?;
    place.write("etc/authdaemonrc", AUTHDAEMONRC)?;
    fs::copy("/etc/courier/dhparams.pem", place.dir.join("etc/dhparams.pem"))?;
    place.write("users", &USERS.map(|user| format!("{user} {PASSWORD}\n")).concat())
}
