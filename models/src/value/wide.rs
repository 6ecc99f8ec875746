//! 512-bit magnitudes, for the rare product that 128 bits do not hold.
//!
//! Three factors of 38 digits and the powers of ten between their scales need less than 512 bits.

const LIMBS: usize = 8;

/// An unsigned integer of 512 bits, least limb first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wide([u64; LIMBS]);

impl Wide {
    pub(super) const fn new(value: u128) -> Self {
        let mut limbs = [0; LIMBS];
        limbs[0] = value as u64;
        limbs[1] = (value >> 64) as u64;
        Self(limbs)
    }

    /// The value, where it fits 128 bits.
    pub(super) fn narrow(self) -> Option<u128> {
        let [low, high, rest @ ..] = self.0;
        rest.iter().all(|limb| *limb == 0).then(|| u128::from(low) | (u128::from(high) << 64))
    }

    /// The product, `None` where it does not fit.
    pub(super) fn times(self, factor: u128) -> Option<Self> {
        let low = self.times_limb(factor as u64)?;
        let high = (factor >> 64) as u64;
        if high == 0 {
            return Some(low);
        }
        let high = self.times_limb(high)?.up_one_limb()?;
        low.plus(high)
    }

    fn times_limb(self, factor: u64) -> Option<Self> {
        let mut out = [0; LIMBS];
        let mut carry = 0_u128;
        for (slot, limb) in out.iter_mut().zip(self.0) {
            let product = u128::from(limb) * u128::from(factor) + carry;
            *slot = product as u64;
            carry = product >> 64;
        }
        (carry == 0).then_some(Self(out))
    }

    fn up_one_limb(self) -> Option<Self> {
        let mut out = [0; LIMBS];
        for (slot, limb) in out.iter_mut().skip(1).zip(self.0) {
            *slot = limb;
        }
        (self.0.last() == Some(&0)).then_some(Self(out))
    }

    fn plus(self, other: Self) -> Option<Self> {
        let mut out = [0; LIMBS];
        let mut carry = false;
        for (slot, (a, b)) in out.iter_mut().zip(self.0.into_iter().zip(other.0)) {
            let (sum, first) = a.overflowing_add(b);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *slot = sum;
            carry = first || second;
        }
        (!carry).then_some(Self(out))
    }

    fn minus(self, other: Self) -> Self {
        let mut out = [0; LIMBS];
        let mut borrow = false;
        for (slot, (a, b)) in out.iter_mut().zip(self.0.into_iter().zip(other.0)) {
            let (difference, first) = a.overflowing_sub(b);
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            *slot = difference;
            borrow = first || second;
        }
        Self(out)
    }

    fn at_least(self, other: Self) -> bool {
        self.0.iter().rev().ge(other.0.iter().rev())
    }

    fn bit(self, position: usize) -> bool {
        self.0.get(position / 64).is_some_and(|limb| limb >> (position % 64) & 1 == 1)
    }

    /// Twice the value plus a bit; the highest bit is lost.
    fn doubled(self, bit: bool) -> Self {
        let mut out = [0; LIMBS];
        let mut carry = u64::from(bit);
        for (slot, limb) in out.iter_mut().zip(self.0) {
            *slot = limb << 1 | carry;
            carry = limb >> 63;
        }
        Self(out)
    }

    /// Quotient and remainder by long division, bit by bit; `None` for a divisor of zero, or of 512 bits.
    pub(super) fn divided(self, by: Self) -> Option<(Self, Self)> {
        let zero = Self([0; LIMBS]);
        if by == zero || by.bit(LIMBS * 64 - 1) {
            return None;
        }
        let (mut quotient, mut remainder) = (zero, zero);
        for position in (0..LIMBS * 64).rev() {
            remainder = remainder.doubled(self.bit(position));
            let fits = remainder.at_least(by);
            if fits {
                remainder = remainder.minus(by);
            }
            quotient = quotient.doubled(fits);
        }
        Some((quotient, remainder))
    }

    /// The quotient, or one more where twice the remainder reaches the divisor.
    pub(super) fn divided_half_up(self, by: Self) -> Option<u128> {
        let (quotient, remainder) = self.divided(by)?;
        let quotient = quotient.narrow()?;
        if remainder.at_least(by.minus(remainder)) { quotient.checked_add(1) } else { Some(quotient) }
    }
}
