#include "record/cell.h"

#include <gtest/gtest.h>

#include "base/checksum.h"
#include "base/hash.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

CellRecord cell() {
  CellRecord cell;
  cell.key.method = "gptq";
  cell.key.format = cell.key.scheme = "int4";
  cell.key.granularity = "channel";
  cell.key.bits = 4;
  cell.key.calibration = CalibrationText{608, 1, "c0"};
  cell.key.first_damping = 0.01;
  cell.key.evaluation = {2016, "e0"};
  cell.key.checkpoint = "w0";
  cell.key.recipe = "bf16";
  cell.run = "0123456789abcdef";
  cell.loss_nats = 3.5;
  cell.delta = cell.measured_delta = 0.1 + 0.2;
  cell.layers.push_back({.layer = 0, .matrix = "qkv", .weights = 64, .relative_error = 0.01});
  cell.flags = {"1 matrix worse than round-to-nearest on the calibration text"};
  cell.flagged = true;
  return cell;
}

TEST(Cell, IsReadBackAsItWasWritten) {
  const TestFolder folder;
  const std::filesystem::path file = cell_file(folder.path(), cell().key);
  write_cell(file, cell());
  EXPECT_EQ(struct_to_json(read_cell(file)), struct_to_json(cell()));
  EXPECT_EQ(cell_files(folder.path()), std::vector<std::filesystem::path>{file});
  EXPECT_TRUE(cell_files(folder.path() / "nothing").empty());
}

// Kept: files of earlier calls are found by these names.
TEST(Cell, TheNameOfItsFileIsTheHashOfItsKey) {
  EXPECT_EQ(dump_json(struct_to_json(cell().key)),
            R"({"activations":null,"bits":4,"calibration":{"hash":"c0","seed":1,"tokens":608},)"
            R"("checkpoint":"w0","evaluation":{"hash":"e0","tokens":2016},"first_damping":0.01,)"
            R"("format":"int4","granularity":"channel","group":0,"kv":null,"method":"gptq",)"
            R"("recipe":"bf16","scheme":"int4","version":4})");
  CellKey none;
  none.method = "none";
  EXPECT_FALSE(struct_to_json(none).contains("scheme"));
  EXPECT_NE(none.file_name(), cell().key.file_name());
}

// Up to version 0.2, per sequence was called tensor.
TEST(Cell, KeepsItsFileUnderTheNewNameOfPerSequence) {
  CellRecord now = cell(), old = cell();
  now.key.activations = "int8/sequence";
  now.key.recipe = "weights=int4/tensor activations=e4m3/sequence keys=bf16 values=bf16";
  old.key.activations = "int8/tensor";
  old.key.recipe = "weights=int4/tensor activations=e4m3/tensor keys=bf16 values=bf16";
  EXPECT_EQ(now.key.file_name(),
            hash_hex(dump_json(struct_to_json(old.key))).substr(0, 16) + ".json");
  const TestFolder folder;
  write_cell(folder / now.key.file_name(), old);
  const CellRecord read = read_cell(folder / now.key.file_name());
  EXPECT_EQ(struct_to_json(read.key), struct_to_json(now.key));
  EXPECT_TRUE(read.key.asks_as(now.key));
}

TEST(Cell, ARequestIsTheSameOnOtherTextAndWeights) {
  CellKey other = cell().key;
  other.checkpoint = "w1";
  other.calibration->hash = other.evaluation.hash = "";
  EXPECT_TRUE(other.asks_as(cell().key));
  other.calibration->seed = 2;
  EXPECT_FALSE(other.asks_as(cell().key));
}

TEST(Cell, DamageIsNamedWithWhatToDo) {
  const TestFolder folder;
  const std::filesystem::path file = folder / cell().key.file_name();
  const Json good = struct_to_json(cell());
  const auto refused = [&](const std::string& text) {
    write_file_atomically(file, text);
    return error_of([&] { read_cell(file); });
  };
  const auto with = [&](const char* key, const Json& value) {
    Json document = good;
    document[key] = value;
    return dump_json(document);
  };
  const std::string end = "; remove it to compute this cell again";
  EXPECT_EQ(refused(with("version", 3)),
            file.string() + ": measured by an older version of bitlaw" + end);
  EXPECT_EQ(refused(with("version", 5)),
            file.string() + ": measured by a newer version of bitlaw" + end);
  EXPECT_THROW(parse_cell(with("version", 3), "f"), CellOfAnotherVersion);
  EXPECT_EQ(refused(with("flags", nullptr)), file.string() + ": flags is missing" + end);
  EXPECT_EQ(refused(with("delta", "0.3")),
            file.string() + ": delta must be a number, not \"0.3\"" + end);
  EXPECT_EQ(refused(with("bits", nullptr)), file.string() + ": bits is missing" + end);
  CellRecord other = cell();
  other.key.bits = 3;
  EXPECT_EQ(refused(with("bits", 3)), file.string() + ": is the cell " + other.key.file_name() +
                                          ", by what it was asked for" + end);
  Json sealed = with_checksum(good);
  sealed["delta"] = 0.2;
  EXPECT_EQ(
      refused(dump_json(sealed)),
      file.string() + ": was changed after it was written: its checksum does not match" + end);
  const std::string text = dump_json(good, 1);
  EXPECT_EQ(refused(text.substr(0, text.size() / 2)).find(file.string() + ": not valid JSON"), 0u);
  EXPECT_EQ(refused("[]").find(file.string() + ": the document must be an object"), 0u);
}

}  // namespace
}  // namespace bitlaw
