//! Access tokens.

use std::time::Duration;

use tokio::time::Instant;

/// The one valid token, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    current: Option<(String, Instant)>,
    issued: u64,
}

/// What a caller who asks for a token gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Issued {
    /// A new one.
    New(String),
    /// The one that is still valid.
    Still(String),
}

impl Tokens {
    /// Gives out a token.
    pub(crate) fn issue(&mut self, seed: u64, ttl: Duration) -> Issued {
        let now = Instant::now();
        if let Some((token, _)) = self.current.as_ref().filter(|(_, until)| *until > now) {
            return Issued::Still(token.clone());
        }
        self.issued += 1;
        let half = |n: u64| crate::dice::mix(seed, &[self.issued, n]);
        let token = format!("{:016x}{:016x}", half(1), half(2));
        self.current = Some((token.clone(), now + ttl));
        Issued::New(token)
    }

    /// Whether a token is valid now.
    pub(crate) fn valid(&self, token: &str) -> bool {
        self.current.as_ref().is_some_and(|(t, until)| t == token && *until > Instant::now())
    }

    /// Makes the current token invalid.
    pub(crate) fn kill(&mut self) {
        self.current = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_carried_again_while_it_is_valid() {
        let mut tokens = Tokens::default();
        let Issued::New(first) = tokens.issue(1, Duration::from_secs(60)) else { panic!("no new token") };
        assert_eq!(tokens.issue(1, Duration::from_secs(60)), Issued::Still(first.clone()));
        assert!(tokens.valid(&first) && !tokens.valid("x"));
        tokens.kill();
        assert!(!tokens.valid(&first));
        let Issued::New(second) = tokens.issue(1, Duration::ZERO) else { panic!("no new token") };
        assert!(first != second && !tokens.valid(&second));
    }
}
