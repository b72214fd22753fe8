/** A title of a test or of a group of tests, as it is written. */
export interface Title {
  readonly text: string;
  readonly line: number;
}

const CALL = /(?<![\w.$'"`])(?:test|it|describe)(?:\.(?:each|concurrent|sequential|for))*\s*(?=[(`<])/g;

/** The titles in a test file: the first string of each test, it and describe, and of what `each` gives back. */
export function titlesOf(source: string): Title[] {
  return [...source.matchAll(CALL)].flatMap((call) => {
    let at = call.index + call[0].length;
    if (/\.(each|for)/.test(call[0])) at = afterGroup(source, at);
    const title = /^\s*\(\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|`((?:\\.|[^`\\])*)`)/s.exec(source.slice(at, at + 500));
    const text = title?.[1] ?? title?.[2] ?? title?.[3];
    if (text === undefined) return [];
    return [{ text: text.replace(/\\(.)/g, '$1'), line: source.slice(0, call.index).split('\n').length }];
  });
}

/** Behind the bracket that closes the one at `start`; strings and comments may hold any. */
function afterGroup(source: string, start: number): number {
  let depth = 0;
  for (let at = start; at < source.length; at += 1) {
    const char = source[at]!;
    if ('\'"'.includes(char) || (char === '`' && depth > 0)) at = endOfText(source, at);
    else if (source.startsWith('//', at)) at = source.indexOf('\n', at);
    else if ('([{<'.includes(char)) depth += 1;
    else if (')]}'.includes(char) || (char === '>' && source[at - 1] !== '=')) depth -= 1;
    if (depth === 0 && ')'.includes(char)) return at + 1;
  }
  return source.length;
}

function endOfText(source: string, start: number): number {
  const quote = source[start];
  for (let at = start + 1; at < source.length; at += 1) {
    if (source[at] === '\\') at += 1;
    else if (source[at] === quote) return at;
  }
  return source.length;
}
