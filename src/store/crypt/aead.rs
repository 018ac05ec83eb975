//! The one cipher of the store, XChaCha20-Poly1305, and who uses which nonce.

use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;
/// Bytes of a nonce.
pub(in crate::store) const NONCE_BYTES: usize = 24;
/// Bytes of an authentication tag.
pub(in crate::store) const TAG_BYTES: usize = 16;

/// A key; wiped on drop.
pub(super) type Key = Zeroizing<[u8; KEY_BYTES]>;
/// Authentication tag of a text.
pub(in crate::store) type Tag = [u8; TAG_BYTES];

/// A text is not what was written under this key, nonce and context.
pub(in crate::store) struct NotAuthentic;

/// One key at work.
pub(super) struct Cipher(XChaCha20Poly1305);

impl Cipher {
    pub(super) fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Encrypts in place. A nonce is used for one text only.
    pub(super) fn seal(&self, nonce: &[u8; NONCE_BYTES], context: &[u8], text: &mut [u8]) -> Tag {
        self.0
            .encrypt_inout_detached(nonce.into(), context, text.into())
            .expect("no text of the store comes near the cipher's limit of 256 GiB")
            .into()
    }

    /// Decrypts in place, if the text is authentic.
    pub(super) fn open(
        &self,
        nonce: &[u8; NONCE_BYTES],
        context: &[u8],
        text: &mut [u8],
        tag: &Tag,
    ) -> Result<(), NotAuthentic> {
        self.0
            .decrypt_inout_detached(nonce.into(), context, text.into(), tag.into())
            .map_err(|_| NotAuthentic)
    }

    /// Decrypts nonce, text, tag, if they are authentic; gives the text.
    pub(super) fn open_sealed(
        &self,
        context: &[u8],
        mut sealed: Vec<u8>,
    ) -> Result<Vec<u8>, NotAuthentic> {
        let end = sealed.len().checked_sub(TAG_BYTES).ok_or(NotAuthentic)?;
        let tag: Tag = *sealed.last_chunk().ok_or(NotAuthentic)?;
        sealed.truncate(end);
        let (nonce, text) = (sealed.split_first_chunk_mut()).ok_or(NotAuthentic)?;
        self.open(nonce, context, text, &tag)?;
        sealed.drain(..NONCE_BYTES);
        Ok(sealed)
    }
}

/// Encrypts the frames of one file under a key of its own. Nonces are random: a frame that is written
/// again after a torn one was cut never meets another text under the same nonce.
pub(in crate::store) struct FrameCipher(Cipher);

impl FrameCipher {
    pub(super) fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(Cipher::new(key))
    }

    /// Nonce, encrypted text, tag. `context` must be the same when it is opened.
    pub(in crate::store) fn seal(
        &self,
        context: &[u8],
        text: &[u8],
    ) -> Result<Vec<u8>, getrandom::Error> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce)?;
        let mut sealed = Vec::with_capacity(NONCE_BYTES + text.len() + TAG_BYTES);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(text);
        let tag = self.0.seal(&nonce, context, &mut sealed[NONCE_BYTES..]);
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// The text, if all of it is authentic.
    pub(in crate::store) fn open(
        &self,
        context: &[u8],
        sealed: Vec<u8>,
    ) -> Result<Vec<u8>, NotAuthentic> {
        self.0.open_sealed(context, sealed)
    }
}

/// Encrypts the blocks of one file under a key of its own; the nonce is the block's number.
pub(in crate::store) struct BlockCipher(Cipher);

impl BlockCipher {
    pub(super) fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(Cipher::new(key))
    }

    /// Encrypts a block in place. Each number is used once.
    pub(in crate::store) fn seal(&self, number: u64, block: &mut [u8]) -> Tag {
        self.0.seal(&block_nonce(number), &[], block)
    }

    /// Decrypts a block in place, if it is authentic.
    pub(in crate::store) fn open(
        &self,
        number: u64,
        block: &mut [u8],
        tag: &Tag,
    ) -> Result<(), NotAuthentic> {
        self.0.open(&block_nonce(number), &[], block, tag)
    }
}

fn block_nonce(number: u64) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    nonce[..8].copy_from_slice(&number.to_le_bytes());
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_opens_only_as_it_was_sealed() {
        let cipher = BlockCipher::new(&[7; KEY_BYTES]);
        let plain = *b"what nobody may read";
        let mut block = plain;
        let tag = cipher.seal(3, &mut block);
        assert_ne!(block, plain);
        let sealed = block;
        assert!(cipher.open(3, &mut block, &tag).is_ok());
        assert_eq!(block, plain);
        let refused = |cipher: &BlockCipher, number, mut block: [u8; 20], tag: &Tag| {
            cipher.open(number, &mut block, tag).is_err()
        };
        let mut flipped = sealed;
        flipped[0] ^= 1;
        assert!(refused(&cipher, 3, flipped, &tag), "another text");
        assert!(refused(&cipher, 4, sealed, &tag), "another number");
        let other = BlockCipher::new(&[8; KEY_BYTES]);
        assert!(refused(&other, 3, sealed, &tag), "another key");
    }
}
