/**
 * Turns the lines of SHOW GRANTS into one privilege each, in the words that
 * `DescribedObject.requires` uses: `EXECUTE ON PROCEDURE app.usr_create`, `SELECT ON
 * app.usr_active_v`, `USAGE ON *.*`, `ROLE reporting`. Privileges on columns, with the grant
 * option, by PROXY or by role are reported as they are, so that they count as too many. A line that
 * is not understood is reported whole, without what identifies the account, for the same reason.
 */
export function privilegesOf(lines: readonly string[]): readonly string[] {
  return [...new Set(lines.flatMap(privilegesOfLine))];
}

/** What every account has and what reaches no data. */
export const harmlessPrivileges: readonly string[] = ["USAGE ON *.*"];

function privilegesOfLine(line: string): readonly string[] {
  if (/^SET DEFAULT ROLE /i.test(line)) return [];
  const grant =
    /^GRANT (.+?) ON (?:(PROCEDURE|FUNCTION|PACKAGE|PACKAGE BODY|TABLE) )?(\S+) TO (.*)$/is;
  const [, words, type, target, rest] = grant.exec(line) ?? [];
  if (words === undefined || target === undefined || rest === undefined) {
    const role = /^GRANT (.+?) TO /i.exec(line)?.[1];
    return [role === undefined ? line.replace(/ IDENTIFIED .*$/is, "") : `ROLE ${unquote(role)}`];
  }
  const kind = type === undefined || type.toUpperCase() === "TABLE" ? "" : `${type.toUpperCase()} `;
  const place = `${kind}${unquote(target)}`;
  const privileges = splitWords(words).map((word) => `${word} ON ${place}`);
  return / WITH .*GRANT OPTION/is.test(rest)
    ? [...privileges, `GRANT OPTION ON ${place}`]
    : privileges;
}

/** `SELECT (`a`, `b`), INSERT` → two words: commas within parentheses do not part. */
function splitWords(words: string): readonly string[] {
  return words.split(/,\s*(?![^(]*\))/).map((word) => unquote(word.trim()));
}

function unquote(text: string): string {
  return text.replaceAll("`", "");
}
