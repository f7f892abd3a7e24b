#include "record/event_file.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <optional>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

// Reads what event.proto says, and nothing of the writer.
struct Event {
  double wall_time = 0;
  int64_t step = 0;
  std::string version;
  bool starts_session = false;
  std::vector<std::pair<std::string, float>> scalars;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }
  uint64_t varint() {
    uint64_t number = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      number |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return number;
    }
  }
  template <class T>
  T plain() {
    T value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view take(size_t size) {
    EXPECT_LE(size, rest_.size());
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(out.size());
    return out;
  }

 private:
  std::string_view rest_;
};

std::pair<std::string, float> scalar_of(std::string_view bytes) {
  Reader reader(bytes);
  std::pair<std::string, float> out;
  while (!reader.at_end()) {
    const uint64_t key = reader.varint();
    if (key == 0x0a)
      out.first = reader.take(reader.varint());
    else if (key == 0x15)
      out.second = reader.plain<float>();
    else
      ADD_FAILURE() << key;
  }
  return out;
}

Event event_of(std::string_view bytes) {
  Reader reader(bytes);
  Event out;
  while (!reader.at_end()) {
    switch (const uint64_t key = reader.varint()) {
      case 0x09:
        out.wall_time = reader.plain<double>();
        break;
      case 0x10:
        out.step = static_cast<int64_t>(reader.varint());
        break;
      case 0x1a:
        out.version = reader.take(reader.varint());
        break;
      case 0x2a: {
        Reader summary(reader.take(reader.varint()));
        while (!summary.at_end()) {
          EXPECT_EQ(summary.varint(), 0x0aU);
          out.scalars.push_back(scalar_of(summary.take(summary.varint())));
        }
        break;
      }
      case 0x3a:
        out.starts_session = reader.take(reader.varint()) == "\x08\x01";
        break;
      default:
        ADD_FAILURE() << key;
        return out;
    }
  }
  return out;
}

std::vector<Event> events_in(const std::string& file) {
  std::vector<Event> events;
  Reader reader(file);
  const auto unmasked = [](uint32_t masked) { return std::rotl(masked - 0xa282ead8U, 15); };
  while (!reader.at_end()) {
    const std::string_view length = reader.take(8);
    EXPECT_EQ(unmasked(reader.plain<uint32_t>()), crc32c(length));
    uint64_t size = 0;
    std::memcpy(&size, length.data(), sizeof size);
    const std::string_view data = reader.take(size);
    EXPECT_EQ(unmasked(reader.plain<uint32_t>()), crc32c(data));
    events.push_back(event_of(data));
  }
  return events;
}

constexpr const char* kMetrics =
    R"({"step": 10, "tokens": 1000, "loss_nats": 5.5, "learning_rate": 0.01, "gradient_norm": 2, "seconds": 1}
{"step": 20, "tokens": 2000, "loss_nats": 5, "learning_rate": 0.02, "gradient_norm": 1, "seconds": 1.5}
{"step": 20, "tokens": 2000, "validation": {"loss_nats": 5.25}, "checkpoint": "tokens-2000"}
damaged
{"step": 30, "tok)";

// By hand from event.proto: time 1.5, step 300, "a" = 0.5.
TEST(EventFile, ARecordHasTheBytesOfTheFormat) {
  const std::string data = bytes_of(
      "09000000000000f83f"
      "10ac02"
      "2a0a"
      "0a08"
      "0a0161"
      "150000003f");
  const std::string record = event_record(1.5, 300, {{"a", 0.5F}});
  ASSERT_EQ(record.size(), 8 + 4 + data.size() + 4);
  EXPECT_EQ(record.substr(0, 8), bytes_of("1800000000000000"));
  EXPECT_EQ(record.substr(12, data.size()), data);
}

TEST(EventFile, HasAPointForEachLine) {
  MetricsEvents maker;
  const std::vector<Event> events = events_in(event_file_of(kMetrics, 100, maker));
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(events[0].version, "brain.Event:2");
  EXPECT_TRUE(events[1].starts_session);
  EXPECT_EQ(events[2].step, 10);
  EXPECT_EQ(events[2].wall_time, 99.5);
  using Scalars = std::vector<std::pair<std::string, float>>;
  EXPECT_EQ(events[2].scalars, (Scalars{{"loss/train", 5.5F},
                                        {"learning_rate", 0.01F},
                                        {"gradient_norm", 2},
                                        {"tokens_per_second", 1000},
                                        {"tokens", 1000}}));
  EXPECT_EQ(events[3].step, 20);
  EXPECT_EQ(events[3].wall_time, 100);
  EXPECT_EQ(events[3].scalars[3], (std::pair<std::string, float>{"tokens_per_second", 2000}));
  EXPECT_EQ(events[4].scalars, (Scalars{{"loss/validation", 5.25F}}));
}

TEST(EventFile, TheValidationOfTheResultIsThePointOfTheLastStep) {
  MetricsEvents maker;
  event_file_of(kMetrics, 100, maker);
  ResultRecord result{.validation = Validation{.loss_nats = 4.5},
                      .training = TrainingResult{.steps = 30}};
  const std::vector<Event> events = events_in(maker.of_result(result, 101));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].step, 30);
  result.training->steps = 20;
  EXPECT_EQ(maker.of_result(result, 101), "") << "a line of the metrics has it";
}

TEST(EventFile, ARunHasOneThatIsUpToDate) {
  const TestFolder folder;
  folder.write("run/metrics.jsonl", kMetrics);
  EXPECT_EQ(write_event_file(folder / "absent", folder / "out"), fs::path());
  const fs::path first = write_event_file(folder / "run", folder / "out");
  EXPECT_EQ(events_in(read_file(first)).size(), 5u);
  EXPECT_EQ(write_event_file(folder / "run", folder / "out"), first);
  MetricsEvents maker;
  folder.write("run/events.out.tfevents.mine", "x");
  const fs::path begun = begin_event_file(folder / "run", maker);
  EXPECT_GT(begun.filename(), first.filename()) << "a TensorBoard that reads moves on";
  const fs::path again = begin_event_file(folder / "run", maker);
  EXPECT_GT(again, begun);
  EXPECT_FALSE(fs::exists(begun));
  EXPECT_TRUE(fs::exists(folder / "run/events.out.tfevents.mine"));
}

}  // namespace
}  // namespace bitlaw
