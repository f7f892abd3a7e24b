#!/usr/bin/env python3
"""Makes tests/golden/tokenizers: small tokenizers of the families that bitlaw reads, and the tokens of many texts.

    pip install tokenizers sentencepiece
    python3 tools/make_tokenizer_golden.py tests/golden/tokenizers
    python3 tools/make_tokenizer_golden.py --texts FILE    # the texts alone, as a list

Each family has its published settings (normalizer, pre-tokenizer, added tokens, begin token); the vocabulary is
trained here, on the repository's own documents and the texts below. texts.json holds the texts, NAME/tokens.json the
tokens of each, encoded without special tokens: by the `tokenizers` library, or by sentencepiece for tokenizer.model.
"""

import json
import pathlib
import sys
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parent.parent

SENTENCES = [
    "The quick brown fox isn't here; they'll say we've lost it, I'D GUESS IT'S GONE. It ſaid 'ſo, O'ReIlly'S.",
    "Straße, naïve café, Ångström, œuvre, ﬁancé, İstanbul ıspanak, Đorđe, ŉ, ǆ, ẞ.",
    "Γειά σου Κόσμε, ἀρχὴ ὧν λόγος ᾧ ᾳ. Съешь же ещё этих мягких французских булок, Ї ґ ў.",
    "مرحبا بالعالم، كَيْفَ حَالُكَ؟ ١٢٣٤٥ ـ لا إله. שלום עולם, בְּרֵאשִׁית בָּרָא אֱלֹהִים.",
    "नमस्ते दुनिया, क्षत्रिय १२३ क़ ड़। வணக்கம் உலகம் ௧௨. สวัสดีชาวโลก กำลังทำ ๑๒๓.",
    "你好,世界。今天天气很好!㐀𠀀龥 〇一二三。こんにちは世界、カタカナ ｶﾞ が゛ゞ ヿ。",
    "안녕하세요 세계, 훈민정음 \u1112\u1161\u11ab\u1100\u1173\u11af \u1100\u1161 \uac00\u11a8 한글.",
    "e\u0301 o\u0308\u0323 o\u0323\u0308 A\u030a \u212b \u2126 \u1e9b\u0323 q\u0307\u0323 \u0344 \u0340 \u0958 \u2adc \u0f77",
    "😀 👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇺🇳 ☃️ ✈ 1️⃣ ℵ ∑ ≠ =\u0338 ½ ² ③ Ⅳ Ⓐ ㎏ ﷺ",
    "def f(x_1, y):\n\treturn {'a': x_1**2, \"b\": [y] * 10}  # 3.14e-10\n\n\nif (a && b || !c) { i++; }\r\n",
    "1234567890 12 345 6,789.01 0x1F 2026-11-22 ٣٤ ๓ ¼ ↉ 一千",
    "https://example.org/a?b=c&d=%20#e <p class=\"x\">&amp;</p> C:\\dir\\*.txt user@host $HOME ~/.x",
    "Zażółć gęślą jaźń; příliš žluťoučký kůň; Tiếng Việt: đường phố, nghĩa; yorùbá ẹ̀kọ́; Հայերեն ქართული አማርኛ ᏣᎳᎩ ភាសាខ្មែរ བོད་ཡིག မြန်မာ ລາວ සිංහල తెలుగు ಕನ್ನಡ മലയാളം বাংলা ਪੰਜਾਬੀ ગુજરાતી ଓଡ଼ିଆ ᠮᠣᠩᠭᠣᠯ",
]

SPACES = [
    " ", "  ", "   ", "\n", "\n\n", "\r\n\r\n", "\t\t x", " a", "a ", "  a  b   c    ", "a\n b\n  c\n\n   d", "x \n y", "x  \n  y",
    " \t \n", "a\r\nb\rc\n", "\u00a0", "a\u00a0b\u00a0\u00a0c", "a\u3000b \u2003 c\u2009d", "a\u200bb\u200cc\u200dd\u2060e\ufefff",
    "a\u180eb \u180e c", "a\u0085b\u2028c\u2029d", "a\x00b\x01\x1f\x7fc\x0b\x0cd", "\ufeffstart", "\u00ad soft\u00adhyphen",
    "don't DON'T Don'T 'tis 's 'S 'Ll 'VE rock'n'roll ''s ' s", "a.b,c;d!e?f...g--h__i", "!!! ??? ...  !?\n!\r\n", "\u2581 a\u2581b \u2581\u2581",
    "\ue000\uf8ff\U000f0000\U0010fffd \ufdd0 \uffff \ufffd", "a" * 300, "ab" * 150 + " " + "-" * 200, " " * 130 + "x", "\n" * 70 + "y",
    "1" * 50 + "x" + "9" * 7, "é" * 40 + "e\u0301" * 40, "".join(chr(c) for c in range(0x4E00, 0x4E40)), "\u0301 leading mark", "x\u0301\u0302\u0303\u0304",
    "𝒜𝓁𝓅𝒽𝒶 𝟘𝟙𝟚 𐍈 𒀀", "ＡＢＣ１２３　ｆｕｌｌ", "ǅ ʰ ª º ᴬ", "_a _ __ a_b 'a' \"b\" `c`", "\n\n\n  indented\n    more\n\treturn\n",
]

ADDED = [
    "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> ", "<|endoftext|><|endoftext|>\n", "x<|begin_of_text|>y<|end_of_text|>",
    "<|im_start|>user\nhi<|im_end|>\n", "<|endoftext", "endoftext|>", "<|ENDOFTEXT|>", "keep  [both]  sides", "[both]", "\n\u00a0[both]\t x",
    "a [word] b", "a[word]b", "[word]", "é[word] \u0301[word]", "x_[word]", "[left] [right]", "a  [left]  [right]  b", "e\u0301[cafe\u0301]e", "[café]",
    "   a  b     c        d", "<s>a</s>", "<s> a</s> b", "</s>",
]

TEXTS = ["", *SENTENCES, *SPACES, *ADDED]


def training_texts():
    documents = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [path.read_text() for path in documents] + 3 * [unicodedata.normalize("NFC", s) for s in SENTENCES]


LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def make_json(directory):
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, processors, trainers
    from tokenizers import pre_tokenizers as pre

    def split(pattern, behavior="isolated", invert=False):
        return pre.Sequence([pre.Split(Regex(pattern), behavior, invert), pre.ByteLevel(add_prefix_space=False, use_regex=False)])

    def special(text, **options):
        return AddedToken(text, special=True, **options)

    odd = [  # every flag of an added token
        AddedToken("[both]", lstrip=True, rstrip=True), AddedToken("[word]", single_word=True),
        AddedToken("[left]", lstrip=True), AddedToken("[right]", rstrip=True, normalized=False), AddedToken("[café]", normalized=True)]
    neox_spaces = [AddedToken(" " * n, normalized=False) for n in range(24, 1, -1)]
    byte_level = pre.ByteLevel.alphabet()
    families = {  # normalizer, pre-tokenizer, added tokens, begin token, initial alphabet, options of BPE
        "gpt2": (None, pre.ByteLevel(add_prefix_space=False), [special("<|endoftext|>")], None, byte_level, {}),
        "neox": (normalizers.NFC(), pre.ByteLevel(add_prefix_space=False), [special("<|endoftext|>"), *neox_spaces, *odd], None, byte_level, {}),
        "olmo2": (None, split(LLAMA3), [special("<|endoftext|>"), special("<|im_start|>"), special("<|im_end|>")], None, byte_level, {}),
        "llama3": (None, split(LLAMA3), [special("<|begin_of_text|>"), special("<|end_of_text|>"), *odd], "<|begin_of_text|>", byte_level, {"ignore_merges": True}),
        "qwen2": (normalizers.NFC(), split(QWEN2), [special("<|endoftext|>"), special("<|im_start|>"), special("<|im_end|>")], None, byte_level, {}),
        "o200k": (None, split(O200K, "removed", True), [special("<|endoftext|>")], None, byte_level, {}),
        "starcoder": (normalizers.NFKC(), pre.Sequence([pre.Digits(individual_digits=True), pre.ByteLevel(add_prefix_space=True)]), [special("<|endoftext|>")], None, byte_level, {}),
        "llama2": (normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None, [special("<unk>"), special("<s>"), special("</s>"), *odd], "<s>",
                   [], {"byte_fallback": True, "unk_token": "<unk>", "fuse_unk": True}),
        "metaspace": (None, pre.Metaspace(prepend_scheme="first", split=False), [special("<unk>"), special("<s>"), special("</s>")], "<s>",
                      [], {"byte_fallback": True, "unk_token": "<unk>", "fuse_unk": True}),
    }
    for name, (normalizer, pretokenizer, added, begin, alphabet, options) in families.items():
        # Merges are learnt on words; the published files of the last two then cut nothing.
        fallback = "byte_fallback" in options
        trained = Tokenizer(models.BPE())
        trained.normalizer = normalizer
        trained.pre_tokenizer = pre.Metaspace() if fallback else pretokenizer
        first = [f"<0x{b:02X}>" for b in range(256)] if fallback else []
        trainer = trainers.BpeTrainer(vocab_size=720 if fallback else 640, initial_alphabet=alphabet, special_tokens=[*(t.content for t in added[:3] if fallback), *first],
                                      limit_alphabet=190 if fallback else 256, show_progress=False)
        trained.train_from_iterator(training_texts(), trainer)
        model = json.loads(trained.to_str())["model"]
        vocabulary = model["vocab"]
        # The first families write their merges as text, the later ones as pairs.
        merges = [tuple(m) for m in model["merges"]]
        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, **options))
        tokenizer.normalizer = normalizer or tokenizer.normalizer
        if pretokenizer is not None:
            tokenizer.pre_tokenizer = pretokenizer
        for token in added:
            tokenizer.add_tokens([token]) if not token.special else tokenizer.add_special_tokens([token])
        if begin:
            tokenizer.post_processor = processors.TemplateProcessing(
                single=f"{begin} $A", pair=f"{begin} $A {begin} $B", special_tokens=[(begin, tokenizer.token_to_id(begin))])
        document = json.loads(tokenizer.to_str())
        if name in ("gpt2", "neox", "llama2"):
            document["model"]["merges"] = [" ".join(m) for m in document["model"]["merges"]]
        place = directory / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "tokenizer.json").write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
        again = Tokenizer.from_file(str(place / "tokenizer.json"))
        write_tokens(place, [again.encode(text, add_special_tokens=False).ids for text in TEXTS])
    write(directory / "neox" / "tokenizer_config.json", {"bos_token": "<|endoftext|>", "eos_token": {"content": "<|endoftext|>"}, "add_bos_token": False})
    write(directory / "llama3" / "tokenizer_config.json", {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"})


def make_sentencepiece(directory):
    import io

    import sentencepiece

    for name, options in {"sp_bpe": {"model_type": "bpe", "byte_fallback": True, "split_digits": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False},
                          "sp_unigram": {"model_type": "unigram", "normalization_rule_name": "identity"}}.items():
        model = io.BytesIO()
        lines = [line for text in training_texts() for line in text.split("\n") if line.strip()]
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_writer=model, vocab_size=700, character_coverage=0.99, num_threads=1, minloglevel=2, **options)
        place = directory / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "tokenizer.model").write_bytes(model.getvalue())
        processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
        write_tokens(place, [processor.encode(text) for text in TEXTS])


def write(path, document):
    path.write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")


def write_tokens(place, tokens):
    write(place / "tokens.json", tokens)


if __name__ == "__main__":
    if sys.argv[1] == "--texts":
        write(pathlib.Path(sys.argv[2]), TEXTS)
    else:
        out = pathlib.Path(sys.argv[1])
        out.mkdir(parents=True, exist_ok=True)
        (out / "texts.json").write_text(json.dumps(TEXTS, ensure_ascii=True, indent=0) + "\n")
        make_json(out)
        make_sentencepiece(out)
