use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::servers::rig::Place;
use crate::servers::{PASSWORD, USERS};

/// The owner of all mail: a bare number, it needs no entry in passwd.
pub(super) const MAIL_UID: u32 = 5000;

/// `{` ends its line and `}` has its own: Dovecot takes no blocks on one line.
const TEMPLATE: &str = r"
base_dir = @DIR@/run
state_dir = @DIR@/state
instance_name = imap-tests
log_path = @DIR@/dovecot.log
protocols = imap
listen = 127.0.0.1
shutdown_clients = yes

ssl = yes
ssl_cert = <@DIR@/tls/server.pem
ssl_key = <@DIR@/tls/server.key
ssl_min_protocol = TLSv1.2

disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%n @DIR@/users
}
userdb {
  driver = passwd-file
  args = username_format=%n @DIR@/users
  default_fields = uid=@UID@ gid=@UID@ home=@DIR@/mail/%n
}

mail_location = maildir:~/Maildir
maildir_very_dirty_syncs = yes
mail_fsync = never
mail_max_userip_connections = 0
mail_attribute_dict = file:%h/dovecot-attributes
imap_metadata = yes
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota imap_zlib
}
plugin {
  quota = count:User quota
  quota_rule = *:storage=20G
  quota_vsizes = yes
}

namespace inbox {
  inbox = yes
  separator = /
  prefix =
  mailbox Drafts {
    special_use = \Drafts
  }
  mailbox Sent {
    special_use = \Sent
  }
  mailbox Trash {
    special_use = \Trash
  }
}

# A process for each connection. One for all carries their TLS, and takes them along where it fails over one that was
# cut off: epoll_ctl(del) failed: Bad file descriptor.
service imap-login {
  service_count = 1
  process_min_avail = 2
  process_limit = 500
  inet_listener imap {
    port = @PLAIN@
  }
  inet_listener imaps {
    port = @TLS@
    ssl = yes
  }
}
service imap {
  process_limit = 1000
  vsz_limit = 1G
}
";

/// Two thousand connections in one process. A process has one inotify instance, which wakes one of them; the others look
/// at an interval.
pub(super) const FOR_MANY: &str = "
default_client_limit = 19000
mailbox_idle_check_interval = 2s
service imap-login {
  service_count = 0
  process_min_avail = 1
  process_limit = 2
  client_limit = 15000
  vsz_limit = 2G
}
service imap {
  service_count = 0
  client_limit = 2000
  process_limit = 16
  vsz_limit = 8G
}
";

/// What signs the tokens that are believed.
pub(super) const TOKEN_KEY: &str = "a key of thirty-two octets, as is";

/// Every mechanism, and whoever has a certificate of our authority is who it says. Refusals are not slowed down.
pub(super) const FOR_LOGINS: &str = "
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 oauthbearer xoauth2 external anonymous
ssl_ca = <@DIR@/tls/ca.pem
ssl_require_crl = no
ssl_verify_client_cert = yes
auth_ssl_username_from_cert = yes
auth_anonymous_username = erin
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = @DIR@/oauth2.conf.ext
}
passdb {
  driver = static
  mechanisms = external
  args = nopassword=y
}
";

/// Dovecot looks for the key below `<azp or default>/<algorithm>/<kid or default>`.
const OAUTH2: &str = "
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=@DIR@/keys/
username_attribute = sub
";

/// Writes `dovecot.conf` and `users`; of a setting that is there twice the later one holds.
pub(super) fn write(place: &Place, settings: &str) -> io::Result<()> {
    let config = TEMPLATE.replace("@UID@", &MAIL_UID.to_string()) + settings;
    place.write("dovecot.conf", &config)?;
    place.write("oauth2.conf.ext", OAUTH2)?;
    place.write("keys/default/HS256/default", &STANDARD.encode(TOKEN_KEY))?;
    let users: String = USERS
        .iter()
        .map(|user| {
            format!(
                "{user}:{{PLAIN}}{PASSWORD}::::::
"
            )
        })
        .collect();
    place.write("users", &users)
}
