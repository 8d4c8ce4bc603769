//! How far the names in a record are looked up, and whether a refused record is looked up anew.

use serde_json::Value;
use switchboard_connect::connector::QuestionId;

/// How far the names in a record are looked up, where its connector does that.
#[derive(Debug, Default)]
pub(super) enum Names {
    /// Not yet.
    #[default]
    Open,
    /// They are ids now. `mapped` is the record as the mapping gave it, `kept` are the questions whose answers may be outdated.
    Done { mapped: Value, kept: Vec<QuestionId> },
    /// The vendor did not take what was looked up some time ago.
    Outdated { mapped: Value },
}

impl Names {
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }

    /// The questions whose answers may be outdated, once.
    pub fn doubt(&mut self) -> Option<Vec<QuestionId>> {
        let Self::Done { mapped, kept } = self else { return None };
        if kept.is_empty() {
            return None;
        }
        let kept = std::mem::take(kept);
        *self = Self::Outdated {
            mapped: std::mem::take(mapped),
        };
        Some(kept)
    }
}

/// The looking up of one record.
#[derive(Debug)]
pub(super) struct LookUp {
    /// The record as the mapping gave it, once it is needed.
    mapped: Option<Value>,
    /// Whether the vendor has refused the record with kept answers before: what it says now is believed.
    again: bool,
    asked: Vec<QuestionId>,
    kept: Vec<QuestionId>,
}

impl LookUp {
    /// Begins. When ids were outdated, it is looked up anew what the mapping gave: that is answered, too.
    pub fn begin(names: &mut Names) -> (Self, Option<Value>) {
        let mapped = match std::mem::take(names) {
            Names::Outdated { mapped } => Some(mapped),
            Names::Open | Names::Done { .. } => None,
        };
        let look_up = Self {
            mapped: mapped.clone(),
            again: mapped.is_some(),
            asked: Vec::new(),
            kept: Vec::new(),
        };
        (look_up, mapped)
    }

    /// Keeps the record as the mapping gave it; needed only when something in it is looked up.
    pub fn keep_mapped(&mut self, record: &Value) {
        self.mapped.get_or_insert_with(|| record.clone());
    }

    /// Notes a question that is answered. `fresh`: the vendor was asked just now. Several members may need the same question: its
    /// answer is not old because it is used twice.
    pub fn note(&mut self, question: QuestionId, fresh: bool) {
        if fresh {
            self.asked.push(question);
        } else if !self.asked.contains(&question) && !self.kept.contains(&question) {
            self.kept.push(question);
        }
    }

    /// Everything is looked up. After a second time nothing is doubted any more.
    pub fn done(self) -> Names {
        Names::Done {
            mapped: self.mapped.unwrap_or_default(),
            kept: if self.again { Vec::new() } else { self.kept },
        }
    }

    /// A question got no answer now. Answers the record as the mapping gave it, with what is to be done the next time.
    pub fn put_off(self) -> (Value, Names) {
        let mapped = self.mapped.unwrap_or_default();
        let names = match self.again {
            true => Names::Outdated { mapped: mapped.clone() },
            false => Names::Open,
        };
        (mapped, names)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: QuestionId = [1; 32];
    const OWNERS: QuestionId = [2; 32];

    /// Looks a record up; `answers` are its questions and whether the vendor was asked for them.
    fn look_up(names: &mut Names, answers: &[(QuestionId, bool)]) -> Option<Value> {
        let (mut look_up, restored) = LookUp::begin(names);
        for (question, fresh) in answers {
            look_up.keep_mapped(&json!({"owner": "ana@example.org"}));
            look_up.note(*question, *fresh);
        }
        *names = look_up.done();
        restored
    }

    #[test]
    fn a_refused_record_is_looked_up_anew_once_and_from_what_the_mapping_gave() {
        let mut names = Names::Open;
        assert_eq!(
            look_up(&mut names, &[(COLUMNS, false), (OWNERS, true), (COLUMNS, false)]),
            None
        );
        assert_eq!(names.doubt(), Some(vec![COLUMNS]));
        let restored = look_up(&mut names, &[(COLUMNS, true), (OWNERS, false), (COLUMNS, false)]);
        assert_eq!(restored, Some(json!({"owner": "ana@example.org"})));
        assert!(names.is_done());
        assert_eq!(names.doubt(), None, "the refusal is the result");
    }

    #[test]
    fn answers_that_the_record_itself_asked_for_are_not_doubted() {
        let mut names = Names::Open;
        look_up(&mut names, &[(COLUMNS, true), (COLUMNS, false), (OWNERS, true)]);
        assert_eq!(names.doubt(), None);
        let mut nothing_looked_up = Names::Open;
        look_up(&mut nothing_looked_up, &[]);
        assert_eq!(nothing_looked_up.doubt(), None);
    }

    #[test]
    fn a_second_look_up_that_is_put_off_stays_the_second_one() {
        let mut names = Names::Open;
        look_up(&mut names, &[(OWNERS, false)]);
        assert!(names.doubt().is_some());
        let (look_up_again, _) = LookUp::begin(&mut names);
        let (mapped, put_off) = look_up_again.put_off();
        assert_eq!(mapped, json!({"owner": "ana@example.org"}));
        names = put_off;
        look_up(&mut names, &[(OWNERS, false)]);
        assert_eq!(names.doubt(), None);
    }
}
