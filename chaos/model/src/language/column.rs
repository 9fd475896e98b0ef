//! `file users.csv column id`: a variable whose values are a column of a file (RFC 4180).

use super::{
    findings::Wrong,
    nearest::advise,
    outside::{self, DataFiles},
};
use crate::Variable;
use std::sync::Arc;

/// Reads the column that a variable names.
pub(super) fn read(text: &str, files: &DataFiles) -> Result<Variable, Wrong> {
    let form = "write it as `file users.csv column id`";
    let Some((file, column)) = outside::column(text) else {
        return Err(Wrong::new("a file has columns, and one of them is meant").advice(form));
    };
    let advice = "the path is taken from the scenario's folder";
    let text = files.get(file).map_err(|why| Wrong::new(why).advice(advice))?;
    let in_file = |wrong: Wrong| Wrong { message: format!("in `{file}`, {}", wrong.message), ..wrong };
    let values = values(&text, column).map_err(in_file)?;
    Ok(Variable::Column { file: file.to_owned(), column: column.to_owned(), values })
}

/// The values of a column.
fn values(text: &str, column: &str) -> Result<Arc<[Arc<str>]>, Wrong> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let broken = |error: csv::Error| {
        let line = error.position().map_or(String::new(), |at| format!("line {} ", at.line()));
        let wrong = Wrong::new(format!("{line}is no line of the table"));
        wrong.advice("each line has as many fields as the first, which has their names")
    };
    let names = reader.headers().map_err(broken)?.clone();
    let Some(place) = names.iter().position(|name| name == column) else {
        let advice = advise(column, names.iter().filter(|name| !name.is_empty()), "its columns are");
        return Err(Wrong::new(format!("there is no column `{column}`")).advice(advice));
    };
    let mut values = Vec::new();
    for row in reader.records() {
        let row = row.map_err(broken)?;
        let value = row.get(place).unwrap_or_default();
        let line = row.position().map_or(0, csv::Position::line);
        if value.chars().any(char::is_control) {
            let wrong = Wrong::new(format!("line {line} has a control character in `{column}`"));
            return Err(wrong.advice("no request can carry one in each place"));
        }
        values.push(Arc::from(value));
    }
    if values.is_empty() {
        return Err(Wrong::new("there are no rows").advice("the first line has the names of the columns"));
    }
    Ok(values.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_values(text: &str, column: &str) -> Result<Vec<String>, String> {
        let read = values(text, column).map(|values| values.iter().map(ToString::to_string).collect());
        read.map_err(|wrong| wrong.message)
    }

    #[test]
    fn a_column_has_the_values_of_its_rows() {
        let text = "\u{feff}id, name ,note\r\n007,\"Ada, \"\"L\"\"\",x\r\n8 ,Bob,\r\n";
        assert_eq!(read_values(text, "id").unwrap(), ["007", "8"], "as it is written");
        assert_eq!(read_values(text, "name").unwrap(), ["Ada, \"L\"", "Bob"]);
        assert_eq!(read_values(text, "note").unwrap(), ["x", ""]);
        assert_eq!(read_values("id\n1", "id").unwrap(), ["1"]);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert_eq!(read_values("id,name\n1,a\n", "user"), Err("there is no column `user`".to_owned()));
        assert_eq!(read_values("id,name\n1,a\n2\n", "id"), Err("line 3 is no line of the table".to_owned()));
        assert_eq!(read_values("id\n", "id"), Err("there are no rows".to_owned()));
        assert_eq!(read_values("", "id"), Err("there is no column `id`".to_owned()));
        assert_eq!(read_values("id\n1\n\"2\n3\"\n", "id"), Err("line 3 has a control character in `id`".to_owned()));
    }
}
