// The document of a report as the page carries it (src/science/report/packed.h), and what the page reads of it.

export type Value = null | boolean | number | string | Value[] | {[key: string]: Value};
export type Fields = {[key: string]: Value};

/** A column: values, places in a list of different ones, places in the document's texts, one value; or columns of these. */
type Column =
  | Value[]
  | {of: Value[]; at: number[]}
  | {texts: number[]}
  | {same: Value}
  | {object: {[key: string]: Column}}
  | {list: Column[]};

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Nulls alone stand for null. */
const orNull = (values: Value[], make: (values: Value[]) => Value): Value =>
  values.every(value => value === null) ? null : make(values);

function reader(column: Column, texts: readonly Value[]): (row: number) => Value {
  if (Array.isArray(column)) return row => column[row] ?? null;
  if ('texts' in column) return row => texts[column.texts[row] ?? -1] ?? null;
  if ('of' in column) return row => column.of[column.at[row] ?? -1] ?? null;
  if ('object' in column) {
    const parts = Object.entries(column.object).map(([key, part]) => [key, reader(part, texts)] as const);
    return row =>
      orNull(
        parts.map(([, read]) => read(row)),
        values => Object.fromEntries(parts.map(([key], i) => [key, values[i]!])),
      );
  }
  if ('list' in column) {
    const parts = column.list.map(part => reader(part, texts));
    return row =>
      orNull(
        parts.map(read => read(row)),
        values => values,
      );
  }
  return () => column.same;
}

/** The inverse of packed_for_page; null stands for what an object does not have. */
export function unpacked(value: Value, texts: readonly Value[]): Value {
  if (Array.isArray(value)) return value.map(each => unpacked(each, texts));
  if (!isObject(value)) return value;
  const rows = value['@rows'];
  if (typeof rows !== 'number')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unpacked(each, texts)]));
  const columns = Object.entries(value['columns'] as {[key: string]: Column}).map(
    ([key, column]) => [key, reader(column, texts)] as const,
  );
  return Array.from({length: rows}, (_, row) => Object.fromEntries(columns.map(([key, read]) => [key, read(row)])));
}

/** Reads with care: what is missing or of another type is empty. */
export class Document {
  private constructor(
    private readonly fields: Fields,
    private readonly texts: Value[],
  ) {}

  static from(json: string): Document {
    const parsed = JSON.parse(json) as unknown;
    if (!isObject(parsed)) throw new Error('it is no object');
    return new Document(parsed, Array.isArray(parsed['texts']) ? parsed['texts'] : []);
  }

  get(key: string): Value {
    return unpacked(this.fields[key] ?? null, this.texts);
  }

  list(key: string): Fields[] {
    return listOf(this.get(key));
  }

  sentences(key: string): string[] {
    const value = this.get(key);
    return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
  }

  object(key: string): Fields {
    return objectOf(this.get(key));
  }

  text(key: string): string {
    return textOf(this.fields[key]);
  }
}

export const listOf = (value: Value | undefined): Fields[] => (Array.isArray(value) ? value.filter(isObject) : []);
export const objectOf = (value: Value | undefined): Fields => (isObject(value) ? value : {});
export const textOf = (value: Value | undefined): string => (typeof value === 'string' ? value : '');
export const numberOf = (value: Value | undefined): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;
