/**
 * The candidate that a person who wrote `word` most likely meant; undefined when none is near
 * enough.
 *
 * Pure; called only when something is already known to be wrong, so it need not be fast. A
 * candidate is near when at most a third of its letters differ (at least one, at most three);
 * capitals and `-` against `_` count as equal. Of two equally near candidates the first wins.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = folded(word);
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const allowed = Math.min(3, Math.max(1, Math.floor(candidate.length / 3)));
    const distance = editDistance(wanted, folded(candidate));
    if (distance > allowed || distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** `; did you mean 'x'?` to stand behind a detail, or an empty text. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const found = suggest(word, candidates);
  return found === undefined ? "" : `; did you mean '${found}'?`;
}

/**
 * Names come from people who may paste anything; nobody misspells a name of a hundred letters by
 * one.
 */
const longestName = 100;

function folded(name: string): string {
  return name.slice(0, longestName).toLowerCase().replaceAll("-", "_");
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other.
 */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      const changed = (last[j - 1] ?? 0) + (same ? 0 : 1);
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, changed);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[to.length] ?? 0;
}
