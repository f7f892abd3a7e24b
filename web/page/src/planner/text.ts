// The text of a file's bytes.

/** UTF-8, or UTF-16 by its byte order mark, as spreadsheets save "Unicode text"; nothing for what is not text. */
export function textIn(content: Uint8Array): string | undefined {
  const mark = content.length < 2 ? 0 : content[0]! << 8 | content[1]!;
  const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8';
  try {
    const text = new TextDecoder(encoding, {fatal: true}).decode(content);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
