//! What a server asks by keyboard-interactive, and which of it is for the password. Pure.
//!
//! Who runs the server writes the questions. The password is for one of them: not for a code that comes from elsewhere, not
//! for a password that is to be chosen, and not for another user or another host.

/// What a server asks.
pub(super) struct Question<'a> {
    pub text: &'a str,
    /// Whether the answer is shown: then it is no secret.
    pub echo: bool,
}

/// How a password is asked for, in the languages that PAM speaks most.
const FOR_A_PASSWORD: [&str; 8] =
    ["password", "passwort", "passwd", "mot de passe", "contraseña", "пароль", "密码", "パスワード"];
/// Words of questions that are for something else, or for a password that is to be chosen.
const FOR_SOMETHING_ELSE: [&str; 17] = [
    "code",
    "codes",
    "passcode",
    "otp",
    "oath",
    "totp",
    "token",
    "verification",
    "pin",
    "2fa",
    "mfa",
    "duo",
    "one",
    "new",
    "retype",
    "again",
    "passphrase",
];

/// Which of the questions is the one for the password of `user` at a server with these names.
pub(super) fn password_question(asked: &[Question<'_>], user: &str, names: &[String]) -> Option<usize> {
    asked.iter().position(|it| !it.echo && asks_for_password(it.text, user, names))
}

fn asks_for_password(text: &str, user: &str, names: &[String]) -> bool {
    let lower = text.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    FOR_A_PASSWORD.iter().any(|word| lower.contains(word))
        && !words.any(|word| FOR_SOMETHING_ELSE.contains(&word))
        && whom(&lower).into_iter().all(|whom| is_ours(whom, &user.to_lowercase(), names))
}

/// Whose password is asked for, as far as the question says so: `user@host`, and what comes after "for".
fn whom(lower: &str) -> Vec<&str> {
    let bare = |word| str::trim_matches(word, |c: char| !c.is_alphanumeric()).trim_end_matches("'s");
    let words: Vec<&str> = lower.split_whitespace().map(bare).collect();
    let after_for = words.windows(2).filter_map(|pair| match pair {
        ["for", whom] => Some(*whom),
        _ => None,
    });
    words.iter().copied().filter(|word| word.contains('@')).chain(after_for).collect()
}

/// Whether that is the user, at the server.
fn is_ours(whom: &str, user: &str, names: &[String]) -> bool {
    let (who, host) = whom.split_once('@').map_or((whom, None), |(who, host)| (who, Some(host)));
    let is_it = |host: &str, name: &String| {
        let name = name.to_lowercase();
        let is_address = name.parse::<std::net::IpAddr>().is_ok();
        // Many hosts call themselves by the first part of their names.
        name == host || (!is_address && name.split('.').next() == Some(host))
    };
    who == user && host.is_none_or(|host| !host.is_empty() && names.iter().any(|name| is_it(host, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_answers_its_own_question_alone() {
        let names = ["gpu-a", "10.0.0.1", "gpu-a.example.org"].map(str::to_owned);
        let table = [
            ("Password: ", true),
            ("Password:", true),
            ("ops@gpu-a's password: ", true),
            ("(ops@gpu-a) Password: ", true),
            ("ops@10.0.0.1's password:", true),
            ("OPS@GPU-A.example.org's password:", true),
            ("Password for ops:", true),
            ("Password for ops@gpu-a:", true),
            ("[sudo] password for ops: ", true),
            ("Passwort: ", true),
            ("Mot de passe : ", true),
            ("Verification code: ", false),
            ("One-time password (OATH) for `ops': ", false),
            ("One time password:", false),
            ("Password & PIN:", false),
            ("Passcode or option (1-3): ", false),
            ("Password + token: ", false),
            ("New password: ", false),
            ("Retype new password: ", false),
            ("Enter passphrase for key: ", false),
            ("root@bank.example.com's password: ", false),
            ("ops@bank.example.com's password: ", false),
            ("ops@gpu-a.evil.com's password: ", false),
            ("ops@10.0.0.2's password: ", false),
            ("Password for root: ", false),
            ("Password for ops@bank: ", false),
            ("Password for bank.example.com: ", false),
            ("Answer: ", false),
            ("", false),
        ];
        for (text, expected) in table {
            assert_eq!(asks_for_password(text, "ops", &names), expected, "{text:?}");
        }
        let asked = |questions: &[(&str, bool)]| {
            let asked: Vec<Question<'_>> =
                questions.iter().map(|(text, echo)| Question { text, echo: *echo }).collect();
            password_question(&asked, "ops", &names)
        };
        assert_eq!(asked(&[("Password: ", true)]), None);
        assert_eq!(asked(&[("Login: ", true), ("Password: ", false), ("Password: ", false)]), Some(1));
        assert_eq!(asked(&[]), None);
    }
}
