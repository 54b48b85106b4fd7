/** One command as RESP. Arguments are latin1 text: one character per byte. */
export function encodeCommand(args: readonly string[]): string {
  let text = `*${args.length}\r\n`;
  for (const arg of args) text += `$${arg.length}\r\n${arg}\r\n`;
  return text;
}

/** A bulk string. `text` is latin1. */
export function encodeBulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/** An error reply of one line. */
export function encodeError(message: string): string {
  return `-${message.replaceAll(/[\r\n]+/g, ' ')}\r\n`;
}

/** The bytes of `text` in UTF-8, one character per byte. */
export function latin1FromUtf8(text: string): string {
  return /[\u0080-\uffff]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** The text whose UTF-8 bytes are the characters of `text`; bytes that are no UTF-8 become U+FFFD. */
export function utf8FromLatin1(text: string): string {
  return /[\u0080-\u00ff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
}
