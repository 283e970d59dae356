/**
 * A text from outside, safe to show: control characters are written as escapes, so that no name in
 * a request can forge a line of the log or steer a terminal, and an endless text is cut.
 */
export function printable(text: string): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(unprintable, (found) => {
    return `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  });
}

const longest = 2000;
// Control characters of ASCII and Latin-1, Unicode's line separators and its marks that turn the
// direction of text.
const unprintable = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
