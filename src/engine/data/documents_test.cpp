#include "data/documents.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <array>

#include "base/random.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string read_all(std::string_view bytes, Compression compression, size_t buffer_bytes) {
  const auto source = decompress(view_bytes(bytes), compression, "test");
  std::string out, buffer(buffer_bytes, '\0');
  while (const size_t n = source->read(buffer)) out.append(buffer, 0, n);
  return out;
}

// Half words, half noise, so that both compressors have runs and literals.
std::string sample_text(size_t size) {
  std::string text;
  for (uint64_t i = 0; text.size() < size; ++i) {
    text += random_uniform(1, 2, i) < 0.5 ? "again and again "
                                          : std::string(1, static_cast<char>(random_u64(1, 3, i)));
  }
  return text;
}

std::vector<Document> documents_of(const std::vector<std::string>& roots,
                                   ReadCounts* counts = nullptr) {
  std::vector<Document> documents;
  const ReadCounts read =
      read_documents(roots, [&](Document&& document) { documents.push_back(std::move(document)); });
  if (counts != nullptr) *counts = read;
  return documents;
}

TEST(ByteSource, DecompressesWhatWasCompressedWithAnyBuffer) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{300}, size_t{200'000}}) {
    const std::string text = sample_text(size);
    for (const size_t buffer : {1, 7, 65536}) {
      if (size > 1000 && buffer == 1) continue;  // the same code, only slower
      EXPECT_EQ(read_all(gzip(text), Compression::kGzip, buffer), text);
      EXPECT_EQ(read_all(zstd(text), Compression::kZstd, buffer), text);
      EXPECT_EQ(read_all(text, Compression::kNone, buffer), text);
    }
  }
}

TEST(ByteSource, ReadsSeveralMembersAsOne) {
  EXPECT_EQ(read_all(gzip("one ") + gzip("") + gzip("two"), Compression::kGzip, 3), "one two");
  EXPECT_EQ(read_all(zstd("one ") + zstd("") + zstd("two"), Compression::kZstd, 3), "one two");
}

TEST(ByteSource, EveryTruncationIsAnError) {
  const std::string text = sample_text(2000);
  for (const auto& [bytes, compression] :
       {std::pair{gzip(text), Compression::kGzip}, std::pair{zstd(text), Compression::kZstd}}) {
    for (size_t n = 1; n < bytes.size(); ++n) {
      EXPECT_THROW(read_all(std::string_view(bytes).substr(0, n), compression, 512), Error) << n;
    }
  }
}

TEST(ByteSource, OtherBytesAreAnError) {
  EXPECT_NE(error_of([] { read_all("plain text", Compression::kGzip, 64); }).find("corrupt"),
            std::string::npos);
  EXPECT_NE(error_of([] { read_all("plain text", Compression::kZstd, 64); }).find("corrupt"),
            std::string::npos);
}

TEST(ByteSource, ZerosAfterGzipAreIgnoredAndOtherBytesAreNot) {
  const std::string padded = gzip("one ") + gzip("two") + std::string(1000, '\0');
  for (const size_t buffer : {1, 7, 65536})
    EXPECT_EQ(read_all(padded, Compression::kGzip, buffer), "one two");
  const std::string error =
      error_of([&] { read_all(gzip("one") + "then text", Compression::kGzip, 64); });
  EXPECT_NE(error.find("followed by bytes that are none"), std::string::npos) << error;
}

std::string zstd_of_window(const std::string& text, int window_log) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  std::string out(ZSTD_compressBound(text.size()) + 64, '\0');
  // A stream of unknown length keeps its window in the frame.
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  EXPECT_FALSE(ZSTD_isError(ZSTD_compressStream2(context, &to, &in, ZSTD_e_continue)));
  EXPECT_EQ(ZSTD_compressStream2(context, &to, &in, ZSTD_e_end), 0u);
  out.resize(to.pos);
  ZSTD_freeCCtx(context);
  return out;
}

TEST(ByteSource, ALongWindowOfZstdIsReadAndOneBeyondTheLimitIsNotCalledDamage) {
  const std::string text = sample_text(100'000);
  const std::string bytes = zstd_of_window(text, 28);
  EXPECT_EQ(read_all(bytes, Compression::kZstd, 65536), text);
  const std::string error = error_of([&] {
    std::array<char, 64> buffer;
    decompress(view_bytes(bytes), Compression::kZstd, "test", 27)->read(buffer);
  });
  EXPECT_NE(error.find("window that is too long"), std::string::npos) << error;
  EXPECT_EQ(error.find("corrupt"), std::string::npos) << error;
}

TEST(Documents, CompressionIsKnownByContentToo) {
  TestFolder folder;
  folder.write("a.txt", gzip("compressed without a suffix"));
  folder.write("b.txt", zstd("this as well"));
  const auto documents = documents_of({folder.string()});
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].text, "compressed without a suffix");
  EXPECT_EQ(documents[1].text, "this as well");
  folder.write("c.txt.gz", "plain");
  const std::string error = error_of([&] { documents_of({folder.string()}); });
  EXPECT_NE(error.find("is not compressed with gzip, although its name says so"), std::string::npos)
      << error;
}

TEST(Documents, ReadsEveryKindInTheOrderOfTheNames) {
  TestFolder folder;
  const std::string lines = "{\"text\": \"one\"}\n\n{\"id\": 7, \"text\": \"two\\nlines\"}\n";
  folder.write("e.txt", "last\n");
  folder.write("b/a.jsonl", lines);
  folder.write("c.jsonl.gz", gzip(lines));
  folder.write("d.jsonl.zst", zstd(lines));
  folder.write("a.txt.gz", gzip("first"));
  folder.write("d.txt.zst", zstd("fourth"));
  folder.write("image.png", "not text");
  folder.write(".hidden.txt", "not read");
  folder.write(".git/x.txt", "not read");
  ReadCounts counts;
  std::vector<std::string> texts, places, sources;
  for (const Document& document : documents_of({folder.string()}, &counts)) {
    texts.push_back(document.text);
    places.push_back(std::filesystem::relative(document.place, folder.path()).string());
    sources.push_back(document.source);
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"first", "one", "two\nlines", "one", "two\nlines",
                                             "one", "two\nlines", "fourth", "last"}));
  EXPECT_EQ(places[2], "b/a.jsonl:3");
  EXPECT_EQ(places[8], "e.txt");
  EXPECT_EQ(sources,
            (std::vector<std::string>{"a.txt.gz", "b", "b", "c.jsonl.gz", "c.jsonl.gz",
                                      "d.jsonl.zst", "d.jsonl.zst", "d.txt.zst", "e.txt"}));
  const std::string file = (folder / "b/a.jsonl").string();
  EXPECT_EQ(documents_of({folder.string() + "/", file})[1].source, "b");
  EXPECT_EQ(documents_of({folder.string() + "/", file})[9].source, "a.jsonl");
  EXPECT_EQ(counts.files, 6);
  EXPECT_EQ(counts.other_files, (std::map<std::string, int64_t>{{".png", 1}}));
  EXPECT_EQ(counts.documents, 9);
  EXPECT_EQ(counts.bytes, 5 + 3 * (3 + 9) + 6 + 4);
}

TEST(Documents, MendsLineEndsAndInvalidBytesAndLeavesOutBlanks) {
  TestFolder folder;
  folder.write("a.txt", "\xEF\xBB\xBFone\r\ntwo\rthree\n\xFFz\n\n");
  folder.write("b.txt", " \n\t\n");
  folder.write("c.jsonl", "{\"text\": \"\"}\n{\"text\": \"a\xC0z\"}");
  ReadCounts counts;
  const auto documents = documents_of({folder.string()}, &counts);
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].text, "one\ntwo\nthree\n\xEF\xBF\xBDz");
  EXPECT_EQ(documents[1].text, "a\xEF\xBF\xBDz");
  EXPECT_EQ(counts.blank, 2);
  EXPECT_EQ(counts.invalid_bytes, 2);
}

// A text of paragraphs, each `paragraph` bytes of lines.
std::string paragraphs(size_t total, size_t paragraph) {
  std::string text;
  for (uint64_t i = 0; text.size() < total; ++i) {
    std::string one;
    while (one.size() < paragraph)
      one += "line " + std::to_string(random_u64(4, 5, one.size() + i * 7919)) + " of text\n";
    text += one + "\n";
  }
  return text;
}

TEST(Documents, AFileIsOneDocumentUpToTheLimit) {
  TestFolder folder;
  folder.write("a.txt", paragraphs(kWholeTextBytes - 3000, 1000));
  EXPECT_EQ(documents_of({folder.string()}).size(), 1u);
}

TEST(Documents, ALargeFileIsCutAtBlankLinesAndNothingIsLost) {
  TestFolder folder;
  const std::string text = paragraphs(1'000'000, 1500);
  folder.write("book.txt", text);
  const auto documents = documents_of({folder.string()});
  EXPECT_GE(documents.size(), text.size() / (kSectionBytes + 2000));
  std::string joined;
  for (size_t i = 0; i < documents.size(); ++i) {
    if (i + 1 < documents.size()) {
      EXPECT_GE(documents[i].text.size(), kSectionBytes - 2);  // less its blank line
    }
    EXPECT_LE(documents[i].text.size(), kWholeTextBytes);
    EXPECT_EQ(documents[i].place, (folder / "book.txt").string() + "#" + std::to_string(i + 1));
    joined += documents[i].text + "\n\n";
  }
  EXPECT_EQ(joined, text);
}

TEST(Documents, ALargeFileWithoutBlankLinesOrLinesIsCutBetweenCharacters) {
  TestFolder folder;
  std::string text = "x";
  while (text.size() < 400'000)
    text += "\xE6\x97\xA5\xF0\x9F\x98\x80";  // 3 + 4 bytes: cuts meet every phase
  folder.write("a.txt", text);
  std::string joined;
  ReadCounts counts;
  for (const Document& document : documents_of({folder.string()}, &counts)) {
    EXPECT_LE(document.text.size(), kWholeTextBytes);
    joined += document.text;
  }
  EXPECT_EQ(joined, text);
  EXPECT_EQ(counts.invalid_bytes, 0);
}

TEST(Documents, ErrorsSayWhatAndWhere) {
  TestFolder folder;
  EXPECT_NE(error_of([] { documents_of({}); }).find("no text given"), std::string::npos);
  EXPECT_NE(error_of([&] { documents_of({(folder / "none").string()}); }).find("does not exist"),
            std::string::npos);
  EXPECT_NE(error_of([&] { documents_of({folder.string()}); }).find("no .txt or .jsonl"),
            std::string::npos);
  folder.write("a.doc", "x");
  EXPECT_NE(error_of([&] { documents_of({(folder / "a.doc").string()}); }).find("rename it"),
            std::string::npos);
  for (const std::string line : {"{\"text\": 3}", "{\"txt\": \"x\"}", "[]", "nonsense",
                                 "{\"text\": \"cut", "{\"text\": \"x\", \"n\": 1e999}"}) {
    folder.write("a.jsonl", "{\"text\": \"good\"}\n" + line + "\n");
    EXPECT_NE(error_of([&] { documents_of({folder.string()}); }).find("a.jsonl:2: "),
              std::string::npos)
        << line;
  }
  folder.write("a.jsonl", "{\"text\": \"good\"}\n");
  folder.write("b.txt.gz", gzip(sample_text(1000)).substr(0, 100));
  EXPECT_NE(error_of([&] {
              documents_of({folder.string()});
            }).find("b.txt.gz: the compressed data is truncated"),
            std::string::npos);
}

}  // namespace
}  // namespace bitlaw
