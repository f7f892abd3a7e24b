// What the page is asked, and the link that carries it. A link is somebody else's text: only known keys are
// read, and their values are checked where they are used.

export interface State {
  budget: string;   // "1e21" or "2 weeks of 8 H100"; "" = none
  memory: string;   // of the device that serves; "" = no limit
  context: string;  // tokens in its KV cache
  serve: string;    // tokens served over the model's life
  tokens: string;   // given training tokens; "" = free
  params: string;   // given parameters; "" = free
  bits: string;     // "" = free, "4" or "4,8,16"
  laws: string;     // names, comma-separated
}

export const kStart: State = {
  budget: '1e21', memory: '', context: '', serve: '', tokens: '', params: '', bits: '', laws: 'kumar',
};

const kKeys = Object.keys(kStart) as (keyof State)[];
const kLongest = 200;

export function linkOf(state: State): string {
  const parts = new URLSearchParams();
  for (const key of kKeys) {
    if (state[key] !== kStart[key]) parts.set(key, state[key]);
  }
  return parts.size > 0 ? `#${parts.toString()}` : '';
}

/** The state of a link, and a sentence if something in it was not understood. */
export function stateOf(link: string): {state: State; problem?: string} {
  const state = {...kStart};
  const unknown: string[] = [];
  for (const [key, value] of new URLSearchParams(link.replace(/^#/, ''))) {
    if ((kKeys as string[]).includes(key) && value.length <= kLongest) state[key as keyof State] = value;
    else unknown.push(key.slice(0, 20));
  }
  if (unknown.length === 0) return {state};
  return {state, problem: `This link has parts that this page does not know: ${unknown.slice(0, 3).join(', ')}. They are left out.`};
}
