// What the page is asked, and the link that carries it. A link is somebody else's text: only known keys are
// read, and their values are checked where they are used.

/** All as typed; "" = not given. */
export interface State {
  budget: string;  // "1e21" or "2 weeks of 8 H100"
  memory: string;  // of the device that serves
  context: string;  // tokens in its KV cache
  serve: string;  // tokens served over the model's life
  tokens: string;  // training tokens
  params: string;
  bits: string;  // "4", "4,8,16", "W4A16"
  laws: string;  // names, comma-separated: "kumar,chinchilla:besiroglu"
  // In training, apart.
  key_bits: string;
  value_bits: string;
  embedding_bits: string;
  head_bits: string;
  // In deployment.
  post_bits: string;  // of the weights, or "best"
  embedding_format: string;
  head_format: string;
  tied_head: string;  // "yes"
  vocabulary: string;
  scale_group: string;
  batch: string;
  kv_share: string;
  // The hardware.
  device: string;
  utilisation: string;
  // A run of the reader's own.
  run_params: string;
  run_tokens: string;
  run_bits: string;
  run_post: string;
  run_loss: string;
}

export const kStart: State = {
  budget: '1e21', memory: '', context: '', serve: '', tokens: '', params: '', bits: '', laws: 'kumar',
  key_bits: '', value_bits: '', embedding_bits: '', head_bits: '', post_bits: '', embedding_format: '', head_format: '',
  tied_head: '', vocabulary: '', scale_group: '', batch: '', kv_share: '', device: '', utilisation: '',
  run_params: '', run_tokens: '', run_bits: '', run_post: '', run_loss: '',
};

export const kKeys = Object.keys(kStart) as (keyof State)[];
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
