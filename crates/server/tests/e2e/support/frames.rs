use super::Api;
use serde_json::{Map, Value};

/// What frames look like, as `/asyncapi.json` says.
pub(crate) struct Frames {
    document: Value,
}

impl Frames {
    pub(crate) async fn of(api: &Api) -> Self {
        Self {
            document: api.get_root("/asyncapi.json").await.is(200),
        }
    }

    /// The frame must be one that the server may send, with all fields and no other.
    #[track_caller]
    pub(crate) fn check(&self, frame: &Value) {
        let schema = &self.document["components"]["schemas"]["ServerFrame"];
        assert!(schema.is_object(), "the frames are not described");
        if let Err(error) = self.try_check(schema, frame) {
            panic!("{error} in {frame}");
        }
    }

    fn try_check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = reference.strip_prefix('#').and_then(|path| self.document.pointer(path));
            return self.try_check(target.ok_or_else(|| format!("{reference} leads nowhere"))?, value);
        }
        for any in ["oneOf", "anyOf"] {
            if let Some(schemas) = schema[any].as_array() {
                let tried = schemas.iter().map(|schema| self.try_check(schema, value));
                let failures: Result<Vec<String>, ()> = tried.map(|tried| tried.err().ok_or(())).collect();
                return failures.map_or(Ok(()), |failures| Err(format!("none of [{}]", failures.join("; "))));
            }
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            return Err(format!("{value} is none of {allowed:?}"));
        }
        let types = match &schema["type"] {
            Value::String(name) => vec![name.as_str()],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => return Err(format!("a schema without a type: {schema}")),
        };
        if !types.iter().any(|name| has_type(value, name)) {
            return Err(format!("{value} is no {types:?}"));
        }
        match value {
            Value::Object(fields) => self.check_fields(schema, fields),
            Value::Array(items) => items.iter().try_for_each(|item| self.try_check(&schema["items"], item)),
            _ => Ok(()),
        }
    }

    fn check_fields(&self, schema: &Value, fields: &Map<String, Value>) -> Result<(), String> {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                return Err(format!("{name} is missing"));
            }
        }
        for (name, value) in fields {
            let schema = schema["properties"].get(name);
            let schema = schema.ok_or_else(|| format!("{name} is not described"))?;
            self.try_check(schema, value)
                .map_err(|error| format!("{name}: {error}"))?;
        }
        Ok(())
    }
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => panic!("{name} is no type"),
    }
}
