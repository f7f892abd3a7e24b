#include "quantize/checkpoint_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

constexpr int32_t kBegin = 256, kEnd = 257;

// One token a byte, and two special ones.
class ByteTokens : public TextTokenizer {
 public:
  explicit ByteTokens(bool adds_begin = false) {
    for (size_t i = 0; i < 256; ++i) pieces_[i] = std::string(1, static_cast<char>(i));
    set_special_tokens({}, kBegin, kEnd, adds_begin, [](const std::string&) { return -1; });
  }
  std::string kind() const override { return "byte"; }
  int vocabulary_size() const override { return 258; }

 protected:
  const std::string& piece(int32_t token) const override {
    return pieces_[static_cast<size_t>(token)];
  }
  void append(std::string_view text, std::vector<int32_t>& tokens) const override {
    for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
  }

 private:
  std::array<std::string, 258> pieces_;
};

// The text of windows that follow each other, "|" for the end token and "^" for the begin token.
std::string spelled(const TextWindows& windows) {
  std::string out;
  for (int64_t w = 0; w < windows.size(); ++w) {
    const std::span<const int32_t> window = windows.window(w);
    for (size_t t = w == 0 ? 0 : 1; t < window.size(); ++t) {
      const int32_t token = window[t];
      out += token == kEnd ? '|' : token == kBegin ? '^' : static_cast<char>(token);
    }
  }
  return out;
}

class CheckpointTextTest : public testing::Test {
 protected:
  // Document i contains its number as a separate word.
  static std::string document(int i) {
    std::string text = "document number" + std::to_string(100 + i) + "end";
    for (int k = 0; k < i % 5; ++k) text += " and more of it";
    return text;
  }
  void write(int documents) {
    std::string lines;
    for (int i = 0; i < documents; ++i) lines += dump_json({{"text", document(i)}}) + "\n";
    folder_.write("texts/a.jsonl", lines);
  }
  CheckpointText read(int64_t T = 10, int64_t evaluation = 0, int64_t calibration = 1000,
                      const ByteTokens& tokenizer = ByteTokens()) const {
    return read_checkpoint_text({{(folder_ / "texts").string()}, T, evaluation, calibration},
                                tokenizer);
  }

  TestFolder folder_;
};

TEST_F(CheckpointTextTest, EveryDocumentIsInOnePart) {
  write(40);
  const CheckpointText text = read();
  const std::string evaluation = spelled(text.evaluation), calibration = spelled(text.calibration);
  int in_evaluation = 0;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "number" + std::to_string(100 + i) + "end";
    const bool here = evaluation.find(name) != std::string::npos;
    const bool there = calibration.find(name) != std::string::npos;
    EXPECT_FALSE(here && there) << name;
    in_evaluation += here;
  }
  EXPECT_GT(in_evaluation, 10);
  EXPECT_LT(in_evaluation, 30);
}

TEST_F(CheckpointTextTest, CopiesCountOnceAndNearCopiesStayTogether) {
  std::string lines;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "number" + std::to_string(100 + i) + "end";
    for (const std::string& text : {name + " here", name + " here", name + ", HERE!"})
      lines += dump_json({{"text", text}}) + "\n";
  }
  folder_.write("texts/a.jsonl", lines);
  const CheckpointText text = read();
  for (const TextWindows* part : {&text.evaluation, &text.calibration}) {
    const std::string all = spelled(*part);
    for (int i = 0; i < 20; ++i) {
      const std::string name = "number" + std::to_string(100 + i) + "end";
      const size_t plain = all.find(name + " here");
      if (plain == std::string::npos) continue;
      EXPECT_EQ(all.find(name + " here", plain + 1), std::string::npos);
      // The last document of a part may be cut off if no whole window is left.
      if (all.size() - plain > 60) {
        EXPECT_NE(all.find(name + ", HERE!"), std::string::npos) << name;
      }
    }
  }
}

TEST_F(CheckpointTextTest, WindowsFollowEachOtherAndBelongToTheDocumentTheyBeginIn) {
  write(40);
  const CheckpointText text = read(7);
  for (const TextWindows* part : {&text.evaluation, &text.calibration}) {
    EXPECT_EQ(part->sequence, 7);
    EXPECT_EQ(part->clustered_by, "document");
    int64_t ended = 0, bytes = 0;
    for (int64_t w = 0; w < part->size(); ++w) {
      const std::span<const int32_t> window = part->window(w);
      if (w > 0) {
        EXPECT_EQ(window.front(), part->window(w - 1).back());
      }
      // A window that begins with an end token begins in the document that ended.
      EXPECT_EQ(part->cluster[static_cast<size_t>(w)] - part->cluster[0],
                ended - (part->window(0).front() == kEnd));
      ended += std::count(window.begin(), window.end() - 1, kEnd);
      for (size_t t = 1; t < window.size(); ++t) bytes += window[t] < 256;
    }
    EXPECT_DOUBLE_EQ(part->bytes_per_token,
                     static_cast<double>(bytes) / static_cast<double>(part->targets()));
  }
}

TEST_F(CheckpointTextTest, ABeginTokenIsPutWhereTheAuthorsPutOne) {
  write(40);
  const std::string without = spelled(read().evaluation);
  const std::string with = spelled(read(10, 0, 1000, ByteTokens(true)).evaluation);
  EXPECT_EQ(without.find('^'), std::string::npos);
  EXPECT_EQ(with[0], '^');
  for (size_t i = 0; i + 1 < with.size(); ++i) EXPECT_EQ(with[i] == '|', with[i + 1] == '^');
}

TEST_F(CheckpointTextTest, CalibrationsAreDrawnWithoutRepetition) {
  write(40);
  const CheckpointText text = read(10, 0, 45);
  const auto drawn = [&](int64_t tokens, uint64_t seed) {
    const TextWindows windows = text.calibration_windows(tokens, seed);
    std::vector<std::vector<int32_t>> all;
    for (int64_t w = 0; w < windows.size(); ++w) {
      all.emplace_back(windows.window(w).begin(), windows.window(w).end());
    }
    return all;
  };
  EXPECT_EQ(text.calibration.size(), 36);  // eight times 45 tokens
  EXPECT_EQ(drawn(45, 1).size(), 5u);      // rounded up to windows
  EXPECT_EQ(drawn(45, 1), drawn(45, 1));
  EXPECT_NE(drawn(45, 1), drawn(45, 2));
  std::vector<std::vector<int32_t>> all = drawn(1000000, 3), in_order = drawn(1000000, 4);
  EXPECT_EQ(all.size(), 36u);
  std::sort(all.begin(), all.end());
  std::sort(in_order.begin(), in_order.end());
  EXPECT_EQ(all, in_order);
  EXPECT_NE(text.calibration_windows(45, 1).hash(), text.calibration_windows(45, 2).hash());
}

TEST_F(CheckpointTextTest, EvaluationStopsAtItsTokens) {
  write(40);
  const TextWindows all = read(10).evaluation, some = read(10, 35).evaluation;
  ASSERT_EQ(some.size(), 4);
  std::vector<int64_t> places;  // in `all`
  for (int64_t i = 0; i < some.size(); ++i) {
    for (int64_t w = 0; w < all.size(); ++w) {
      if (std::ranges::equal(some.window(i), all.window(w)) &&
          some.cluster[static_cast<size_t>(i)] == all.cluster[static_cast<size_t>(w)])
        places.push_back(w);
    }
  }
  // From the first eight times as much, in its order, and not only its beginning.
  ASSERT_EQ(places.size(), 4u);
  EXPECT_TRUE(std::is_sorted(places.begin(), places.end()));
  EXPECT_LT(places.back(), 28);
  EXPECT_GT(places.back(), 3);
}

TEST_F(CheckpointTextTest, NoPartDependsOnPaths) {
  for (const bool reversed : {false, true}) {
    for (int i = 0; i < 40; ++i)
      folder_.write((reversed ? "b/" : "a/") + std::to_string(reversed ? 90 - i : 10 + i) + ".txt",
                    document(i));
  }
  const auto of = [&](const char* name) {
    return read_checkpoint_text({{(folder_ / name).string()}, 10, 50, 50}, ByteTokens());
  };
  const CheckpointText a = of("a"), b = of("b");
  EXPECT_EQ(a.evaluation.hash(), b.evaluation.hash());
  EXPECT_EQ(a.calibration.hash(), b.calibration.hash());
}

TEST_F(CheckpointTextTest, OneLongDocumentOnEachSideHasWindowsAsClusters) {
  folder_.write("texts/a.txt", std::string(500, 'a'));
  folder_.write("texts/b.txt", std::string(500, 'b'));
  const CheckpointText text = read();
  EXPECT_EQ(text.evaluation.clustered_by, "window");
  const std::set<int64_t> clusters(text.evaluation.cluster.begin(), text.evaluation.cluster.end());
  EXPECT_EQ(static_cast<int64_t>(clusters.size()), text.evaluation.size());
}

TEST_F(CheckpointTextTest, TooLittleTextSaysSo) {
  const auto error = [&](int64_t T) -> std::string {
    try {
      read(T);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  folder_.write("texts/a.txt", "one document");
  EXPECT_NE(error(4).find("calibration and evaluation need one each"), std::string::npos);
  folder_.write("texts/b.txt", "One document!");  // the same letters
  EXPECT_NE(error(4).find("calibration and evaluation need one each"), std::string::npos);
  folder_.write("texts/c.txt", "another document");
  EXPECT_EQ(error(4), "");
  EXPECT_NE(error(20).find("one window needs 21"), std::string::npos);
}

TEST_F(CheckpointTextTest, SaysHowMuchOfTheTextACalibrationTakes) {
  write(40);
  const CheckpointText text = read(10, 0, 1000);
  const int64_t all = text.calibration.targets();
  EXPECT_EQ(text.calibration_share(all), 1);
  EXPECT_EQ(text.calibration_share(10 * all), 1);
  EXPECT_NEAR(text.calibration_share(all / 4), 0.25, 10.0 / static_cast<double>(all));
  EXPECT_EQ(text.notes, std::vector<std::string>{});
}

TEST_F(CheckpointTextTest, UnequalPartsAndFilesLeftOutAreNoted) {
  folder_.write("texts/a.txt", document(1));
  std::string length;
  for (int i = 0; i < 40; ++i) length += document(i) + " ";
  folder_.write("texts/b.txt", length);
  folder_.write("texts/c.parquet", "x");
  const CheckpointText text = read();
  ASSERT_EQ(text.notes.size(), 2u);
  EXPECT_EQ(text.notes[0], "1 other file was left out of the text: 1 .parquet");
  EXPECT_NE(text.notes[1].find("documents are split as a whole, and there are 2"),
            std::string::npos)
      << text.notes[1];
}

TEST_F(CheckpointTextTest, TheKeyOfTheTextIsAChoice) {
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += dump_json({{"body", document(i)}}) + "\n";
  folder_.write("texts/a.jsonl", lines);
  const std::string error = error_of([&] { read(); });
  EXPECT_NE(error.find("--text-key body"), std::string::npos) << error;
  const CheckpointText text =
      read_checkpoint_text({{(folder_ / "texts").string()}, 10, 0, 1000, "body"}, ByteTokens());
  write(40);
  EXPECT_EQ(text.evaluation.tokens, read().evaluation.tokens);
}

}  // namespace
}  // namespace bitlaw
