//! The access token: asked for once, shared, renewed when the platform says so.

use tokio::sync::Mutex;

use crate::kit::secret::Secret;

/// A token and which one it is.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub value: Secret,
    pub generation: u64,
}

/// The token in use. The lock is held while one caller renews, so that the others get its token.
#[derive(Debug, Default)]
pub(crate) struct TokenStore(Mutex<Option<Token>>);

impl TokenStore {
    /// The token in use; `ask` gets one if there is none, or if the one in use is `stale`.
    pub(crate) async fn get<E>(&self, stale: Option<u64>, ask: impl AsyncFnOnce() -> Result<Secret, E>) -> Result<Token, E> {
        let mut held = self.0.lock().await;
        let generation = match held.as_ref() {
            Some(token) if stale != Some(token.generation) => return Ok(token.clone()),
            Some(token) => token.generation + 1,
            None => 0,
        };
        let token = Token { value: ask().await?, generation };
        *held = Some(token.clone());
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_stale_token_is_renewed() {
        let store = TokenStore::default();
        let first = store.get::<()>(None, async || Ok(Secret::new("a"))).await.unwrap();
        let again = store.get::<()>(None, async || Err(())).await.unwrap();
        assert_eq!(first.generation, again.generation);
        let next = store.get::<()>(Some(first.generation), async || Ok(Secret::new("b"))).await.unwrap();
        assert_eq!(next.value.expose(), "b");
        // a second caller whose call failed with the first token gets the new one without asking
        let late = store.get::<()>(Some(first.generation), async || Err(())).await.unwrap();
        assert_eq!(late.value.expose(), "b");
    }
}
