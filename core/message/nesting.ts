/**
 * Whether a JSON text opens more objects and arrays within one another than `limit`. Brackets in
 * strings do not count.
 *
 * Asked before `JSON.parse`, because a text that is nested 50,000 deep overflows what walks it
 * later. Most texts do not have as many brackets as they may be deep, which a native search finds
 * out ten times faster than a scan. A text that is no JSON gets some answer; the parser refuses it.
 */
export function isDeeperThan(text: string, limit: number): boolean {
  if (!hasMoreBrackets(text, limit)) return false;
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isInString) {
      if (code === backslash) at++;
      else if (code === quote) isInString = false;
    } else if (code === quote) {
      isInString = true;
    } else if (code === openBrace || code === openBracket) {
      if (++depth > limit) return true;
    } else if (code === closeBrace || code === closeBracket) {
      depth--;
    }
  }
  return false;
}

const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

function hasMoreBrackets(text: string, limit: number): boolean {
  let count = 0;
  for (let at = text.indexOf("{"); at !== -1; at = text.indexOf("{", at + 1)) {
    if (++count > limit) return true;
  }
  for (let at = text.indexOf("["); at !== -1; at = text.indexOf("[", at + 1)) {
    if (++count > limit) return true;
  }
  return false;
}
