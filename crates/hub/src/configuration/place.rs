//! The places of a connection that an object goes to.

use serde_json::{Map, Value};
use switchboard_connect::place::Places;
use switchboard_model::problem::{Code, Problem};

use super::Connection;
use crate::store::place::{self, Place};

impl Connection {
    /// Where records of an object go by these options of a route: to each place that they name, once; to the usual one when they name none.
    /// A `None` alone: there is one place only, or the mapping does not ask for it, whatever is named.
    pub fn places(&self, object: &str, options: Option<&Map<String, Value>>) -> Vec<Option<Place>> {
        let several = |places: &&Places| !places.is_fixed(&self.spec.auth_kind);
        let Some(places) = self.places_of(object).filter(several) else {
            return vec![None];
        };
        let named = self.named(places, options);
        match named.is_empty() {
            true => vec![Some(self.place(places, None))],
            false => named.into_iter().map(Some).collect(),
        }
    }

    /// Refuses a delivery that names several places: one record cannot be at all of them, and none of them is left out unseen.
    ///
    /// # Errors
    /// When there are several.
    pub(crate) fn check_place(&self, object: &str, options: Option<&Map<String, Value>>) -> Result<(), Problem> {
        let Some(places) = self.places_of(object) else {
            return Ok(());
        };
        let named = self.named(places, options);
        if named.len() < 2 {
            return Ok(());
        }
        let option = places.option();
        let names: Vec<&str> = named.iter().filter_map(|place| place.name.as_deref()).collect();
        let names = names.join(", ");
        let (detail, next) = match places.is_fixed(&self.spec.auth_kind) {
            true => (
                format!(
                    "`{option}` names {names}, and connection `{}` writes to one place only, by the way in which it is signed in",
                    self.key
                ),
                "Name one of them in the route, or sign in in another way; then replay the event, not the delivery.",
            ),
            false => (
                format!("`{option}` names {names} in one delivery, from before each of them got one of its own"),
                "Replay the event, not the delivery: each place then gets a delivery of its own.",
            ),
        };
        Err(Problem::new(Code::ObjectUnsupported, detail, next))
    }

    /// The places that options name, each once.
    fn named(&self, places: &Places, options: Option<&Map<String, Value>>) -> Vec<Place> {
        let mut named: Vec<Place> = Vec::new();
        for name in place::names(options.and_then(|options| options.get(&**places.option()))) {
            if !named.iter().any(|known| known.is(Some(&name))) {
                named.push(self.place(places, Some(name.into_owned())));
            }
        }
        named
    }

    fn place(&self, places: &Places, name: Option<String>) -> Place {
        let usual = places.setting().and_then(|setting| self.spec.settings.get(setting));
        Place {
            option: places.option().clone(),
            sign: places.sign().cloned(),
            name,
            usual: place::names(usual).first().map(ToString::to_string),
        }
    }

    /// The places that an object may go to, where its mapping asks for one.
    fn places_of(&self, object: &str) -> Option<&Places> {
        let places = self.connector.as_deref()?.object(object)?.places()?;
        self.mapping(object)?.reads(places.option()).then_some(places)
    }
}
