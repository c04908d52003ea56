//! Numbers of JSON, compared exactly: `u64::MAX` and `i64::MAX` are not the same as floats.

use std::cmp::Ordering;

use serde_json::Value;

/// An integer, or a number that is none (or too large to be held as one).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Num {
    Integer(i128),
    Float(f64),
}

impl Num {
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let number = value.as_number()?;
        if let Some(integer) = number.as_i128() {
            return Some(Self::Integer(integer));
        }
        number.as_f64().map(Self::from_f64)
    }

    fn from_f64(float: f64) -> Self {
        // Up to 2^100 every float that has no fraction is an `i128`.
        match float.fract() == 0.0 && float.abs() < 2.0_f64.powi(100) {
            true => Self::Integer(float as i128),
            false => Self::Float(float),
        }
    }

    pub(crate) fn is_integer(self) -> bool {
        match self {
            Self::Integer(_) => true,
            Self::Float(float) => float.fract() == 0.0,
        }
    }

    fn as_f64(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }

    /// As JSON, if JSON can hold it.
    pub(crate) fn to_value(self) -> Option<Value> {
        match self {
            Self::Integer(integer) => i64::try_from(integer)
                .map(Value::from)
                .or_else(|_| u64::try_from(integer).map(Value::from))
                .ok()
                .or_else(|| serde_json::Number::from_f64(integer as f64).map(Value::Number)),
            Self::Float(float) => serde_json::Number::from_f64(float).map(Value::Number),
        }
    }

    /// A number that much greater.
    pub(crate) fn plus(self, step: f64) -> Self {
        match self {
            Self::Integer(integer) if step.fract() == 0.0 => {
                Self::Integer(integer.saturating_add(step as i128))
            }
            other => Self::from_f64(other.as_f64() + step),
        }
    }

    /// The greatest multiple of an integer that is not greater than this, if this is one.
    pub(crate) fn multiple_below(self, step: Self) -> Option<Self> {
        match (self, step) {
            (Self::Integer(number), Self::Integer(step)) if step > 0 => {
                Some(Self::Integer(number - number.rem_euclid(step)))
            }
            _ => None,
        }
    }

    pub(crate) fn plus_num(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.checked_add(b).map(Self::Integer),
            _ => None,
        }
    }

    /// Whether this is a multiple of the other; `None` where that cannot be told exactly.
    pub(crate) fn is_multiple_of(self, step: Self) -> Option<bool> {
        match (self, step) {
            (Self::Integer(_), Self::Integer(0)) => None,
            (Self::Integer(number), Self::Integer(step)) => Some(number % step == 0),
            (Self::Float(float), Self::Integer(_)) if float.fract() != 0.0 => Some(false),
            _ => None,
        }
    }
}

impl PartialEq for Num {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Num {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (*self, *other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(&b)),
            // A float that is held as one has a fraction, or is beyond every integer here.
            (a, b) => a.as_f64().partial_cmp(&b.as_f64()),
        }
    }
}

/// From where to where, each end with or without itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Range {
    pub(crate) min: Option<Bound>,
    pub(crate) max: Option<Bound>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bound {
    pub(crate) at: Num,
    pub(crate) exclusive: bool,
}

impl Bound {
    pub(crate) fn new(at: Num, exclusive: bool) -> Self {
        Self { at, exclusive }
    }
}

impl Range {
    pub(crate) fn at_least(&mut self, bound: Bound) {
        let tighter = self.min.is_none_or(|min| {
            bound.at > min.at || (bound.at == min.at && bound.exclusive && !min.exclusive)
        });
        if tighter {
            self.min = Some(bound);
        }
    }

    pub(crate) fn at_most(&mut self, bound: Bound) {
        let tighter = self.max.is_none_or(|max| {
            bound.at < max.at || (bound.at == max.at && bound.exclusive && !max.exclusive)
        });
        if tighter {
            self.max = Some(bound);
        }
    }

    pub(crate) fn and(&mut self, other: &Self) {
        other.min.into_iter().for_each(|min| self.at_least(min));
        other.max.into_iter().for_each(|max| self.at_most(max));
    }

    pub(crate) fn has(&self, number: Num) -> bool {
        self.min.is_none_or(|min| number > min.at || (number == min.at && !min.exclusive))
            && self.max.is_none_or(|max| number < max.at || (number == max.at && !max.exclusive))
    }

    /// The ends of the integers in it, without the exclusive ones.
    pub(crate) fn integers(&self) -> Self {
        let inward = |bound: Bound, step: f64| match bound.at {
            Num::Integer(_) if bound.exclusive => Bound::new(bound.at.plus(step), false),
            Num::Integer(_) => bound,
            Num::Float(at) if step > 0.0 => Bound::new(Num::from_f64(at.ceil()), false),
            Num::Float(at) => Bound::new(Num::from_f64(at.floor()), false),
        };
        Self {
            min: self.min.map(|min| inward(min, 1.0)),
            max: self.max.map(|max| inward(max, -1.0)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match (self.min, self.max) {
            (Some(min), Some(max)) => {
                min.at > max.at || (min.at == max.at && (min.exclusive || max.exclusive))
            }
            _ => false,
        }
    }

    /// Whether everything in it is in the other.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        let above = |min: Bound| {
            self.min.is_some_and(|own| {
                own.at > min.at || (own.at == min.at && (own.exclusive || !min.exclusive))
            })
        };
        let below = |max: Bound| {
            self.max.is_some_and(|own| {
                own.at < max.at || (own.at == max.at && (own.exclusive || !max.exclusive))
            })
        };
        other.min.is_none_or(above) && other.max.is_none_or(below)
    }
}

/// The bounds of Rust's integers, by the names that schemars gives as formats.
pub(crate) fn bounds_of_format(format: &str) -> Option<(i128, i128)> {
    Some(match format {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" | "int" => (i64::MIN.into(), i64::MAX.into()),
        "uint8" => (0, u8::MAX.into()),
        "uint16" => (0, u16::MAX.into()),
        "uint32" => (0, u32::MAX.into()),
        "uint64" | "uint" => (0, u64::MAX.into()),
        _ => return None,
    })
}
