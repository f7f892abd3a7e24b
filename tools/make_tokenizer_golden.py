#!/usr/bin/env python3
"""Makes tests/golden/tokenizers: small tokenizers of the families that bitlaw reads, and the tokens of
many texts.

    pip install tokenizers sentencepiece
    python3 tools/make_tokenizer_golden.py tests/golden/tokenizers

Each family has its published settings (normalizer, pre-tokenizer, added tokens, begin token). Its
vocabulary is learnt here from the documents of the repository and the texts below (the library breaks
ties at random). texts.json has the texts, NAME/tokens.json the tokens of each, encoded without
special tokens: by the `tokenizers` library, or by sentencepiece for tokenizer.model.
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
    from tokenizers import Tokenizer, models, processors

    for name, family in families().items():
        vocabulary, merges = learnt(family)
        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, **family["model"]))
        if family["normalizer"]:
            tokenizer.normalizer = family["normalizer"]
        if family["pre_tokenizer"]:
            tokenizer.pre_tokenizer = family["pre_tokenizer"]
        for token in family["added"]:
            (tokenizer.add_special_tokens if token.special else tokenizer.add_tokens)([token])
        if begin := family["begin"]:
            tokenizer.post_processor = processors.TemplateProcessing(
                single=f"{begin} $A", pair=f"{begin} $A {begin} $B",
                special_tokens=[(begin, tokenizer.token_to_id(begin))])
        document = json.loads(tokenizer.to_str())
        if name in ("gpt2", "neox", "llama2"):  # older files write merges as text, newer ones as pairs
            document["model"]["merges"] = [" ".join(pair) for pair in document["model"]["merges"]]
        place = directory / name
        place.mkdir(parents=True, exist_ok=True)
        write(place / "tokenizer.json", document)
        again = Tokenizer.from_file(str(place / "tokenizer.json"))
        write(place / "tokens.json", [again.encode(text, add_special_tokens=False).ids for text in TEXTS])
    end = "<|endoftext|>"
    write(directory / "neox" / "tokenizer_config.json",
          {"bos_token": end, "eos_token": {"content": end}, "add_bos_token": False})
    write(directory / "llama3" / "tokenizer_config.json",
          {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"})


def families():
    from tokenizers import AddedToken, Regex, normalizers
    from tokenizers import pre_tokenizers as pre

    def specials(*texts):
        return [AddedToken(text, special=True) for text in texts]

    def family(pre_tokenizer, added, normalizer=None, begin=None, **model):
        return {"pre_tokenizer": pre_tokenizer, "added": added, "normalizer": normalizer, "begin": begin, "model": model}

    def split(pattern, behavior="isolated", invert=False):
        bytes_of_pieces = pre.ByteLevel(add_prefix_space=False, use_regex=False)
        return pre.Sequence([pre.Split(Regex(pattern), behavior, invert), bytes_of_pieces])

    odd = [  # every flag of an added token
        AddedToken("[both]", lstrip=True, rstrip=True),
        AddedToken("[word]", single_word=True),
        AddedToken("[left]", lstrip=True),
        AddedToken("[right]", rstrip=True, normalized=False),
        AddedToken("[café]", normalized=True),
    ]
    end = specials("<|endoftext|>")
    chat = specials("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    sentencepiece = specials("<unk>", "<s>", "</s>")
    spaces = [AddedToken(" " * n, normalized=False) for n in range(24, 1, -1)]
    marks = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    fallback = {"begin": "<s>", "byte_fallback": True, "unk_token": "<unk>", "fuse_unk": True}
    digits = pre.Sequence([pre.Digits(individual_digits=True), pre.ByteLevel(add_prefix_space=True)])
    gpt2 = pre.ByteLevel(add_prefix_space=False)
    return {
        "gpt2": family(gpt2, end),
        "neox": family(gpt2, [*end, *spaces, *odd], normalizers.NFC()),
        "olmo2": family(split(LLAMA3), chat),
        "llama3": family(split(LLAMA3), [*specials("<|begin_of_text|>", "<|end_of_text|>"), *odd],
                         begin="<|begin_of_text|>", ignore_merges=True),
        "qwen2": family(split(QWEN2), chat, normalizers.NFC()),
        "o200k": family(split(O200K, "removed", True), end),
        "starcoder": family(digits, end, normalizers.NFKC()),
        "llama2": family(None, [*sentencepiece, *odd], marks, **fallback),
        "metaspace": family(pre.Metaspace(prepend_scheme="first", split=False), sentencepiece, **fallback),
    }


def learnt(family):
    """Vocabulary and merges. Those with byte fallback are learnt on words, though their files cut nothing."""
    from tokenizers import Tokenizer, models, trainers
    from tokenizers import pre_tokenizers as pre

    fallback = "byte_fallback" in family["model"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = family["normalizer"]
    tokenizer.pre_tokenizer = pre.Metaspace() if fallback else family["pre_tokenizer"]
    first = [*(token.content for token in family["added"][:3]), *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(
        vocab_size=720 if fallback else 640, limit_alphabet=190 if fallback else 256,
        initial_alphabet=[] if fallback else pre.ByteLevel.alphabet(), special_tokens=first if fallback else [],
        show_progress=False)
    tokenizer.train_from_iterator(training_texts(), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


def make_sentencepiece(directory):
    import io

    import sentencepiece

    kinds = {
        "sp_bpe": {"model_type": "bpe", "byte_fallback": True, "split_digits": True, "remove_extra_whitespaces": False},
        "sp_unigram": {"model_type": "unigram"},
    }
    for name, options in kinds.items():
        model = io.BytesIO()
        lines = [line for text in training_texts() for line in text.split("\n") if line.strip()]
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_writer=model, vocab_size=700, character_coverage=0.99,
            normalization_rule_name="identity", num_threads=1, minloglevel=2, **options)
        place = directory / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "tokenizer.model").write_bytes(model.getvalue())
        processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
        write(place / "tokens.json", [processor.encode(text) for text in TEXTS])


def write(path, document):
    path.write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    (out / "texts.json").write_text(json.dumps(TEXTS, ensure_ascii=True, indent=0) + "\n")
    make_json(out)
    make_sentencepiece(out)
