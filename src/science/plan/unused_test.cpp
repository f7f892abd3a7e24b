// No option of a plan is ignored: it changes the answer, or is refused by its name.
#include "plan/unused.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/config.h"
#include "plan/frontier.h"

namespace bitlaw {
namespace {

PlanRequest budgeted() {
  PlanRequest request;
  request.compute = 1e21;
  return request;
}

PlanRequest with_memory() {
  PlanRequest request = budgeted();
  request.memory_bytes = 2e9;
  return request;
}

template <class Change>
std::string refusal(PlanRequest request, Change change) {
  change(request);
  return make_plan(request).error;
}

// Each option of a request by itself, at a value that is not its default: with one kind of request or
// another it is felt, and with the plainest one it is felt or refused.
TEST(Unused, EveryOptionIsFeltOrRefused) {
  const std::map<std::string, Json> values{{"utilisation", 0.2},
                                           {"context", 4096},
                                           {"batch", 4},
                                           {"layers", 10},
                                           {"kv_width", 512},
                                           {"kv_share", 0.5},
                                           {"memory_counts", "weights"},
                                           {"vocabulary", 50000},
                                           {"width", 900},
                                           {"tied_head", true},
                                           {"embedding_format", "q4_k"},
                                           {"head_format", "q4_k"},
                                           {"scale_group", 32},
                                           {"scale_bits", 8},
                                           {"zero_bits", 4},
                                           {"storage", {"4:q4_k"}},
                                           {"entropy_coded", {"gaussian"}},
                                           {"unique_tokens", 1e9},
                                           {"group", 32},
                                           {"tied", false},
                                           {"available_bits", {4, 5}},
                                           {"integer_bits", true},
                                           {"formats", {"W4A4"}},
                                           {"cost", "16:1,8:2,4:3"}};
  const Plan plain = make_plan(budgeted());
  ASSERT_EQ(plain.error, "");
  for (const auto& [name, value] : values) {
    PlanRequest request = budgeted();
    fill(request, Json{{name, value}}, "the test");
    Plan plan = make_plan(request);
    if (plan.error.empty()) plan.error = check_surroundings(request, nullptr);
    if (plan.error.empty()) {
      EXPECT_NE(*plan.optimum->loss, *plain.optimum->loss) << name;
    } else {
      EXPECT_NE(plan.error.find(name == "kv_width" ? "layers" : name), std::string::npos)
          << name << ": " << plan.error;
    }
  }
}

// Where P is a continuum no weight has exactly 4 bits, so what 4 bits take in a file says nothing.
TEST(Unused, FormatsOfBitsThatNoWeightHas) {
  const auto storage = [](PlanRequest& r) { r.storage = {"4:q4_k"}; };
  EXPECT_NE(refusal(with_memory(), storage).find("storage: P may be any number"),
            std::string::npos);
  EXPECT_NE(refusal(with_memory(), [](auto& r) { r.entropy_coded = {"4:3.1"}; })
                .find("entropy_coded: P may be any number"),
            std::string::npos);
  const auto eight = [&](PlanRequest& r) { storage(r), r.bits = {8}; };
  EXPECT_NE(refusal(with_memory(), eight).find("storage: no weight here has 4 bits"),
            std::string::npos);
  for (const auto& listed :
       {+[](PlanRequest& r) { r.integer_bits = true; }, +[](PlanRequest& r) { r.bits = {4}; },
        +[](PlanRequest& r) { r.bits = {16}, r.post_bits = 4; },
        +[](PlanRequest& r) {
          r.free = {"N", "D", "P_post"}, r.available_bits = {3, 4};
        }}) {
    EXPECT_EQ(refusal(with_memory(), [&](auto& r) { storage(r), listed(r); }), "");
  }
}

TEST(Unused, TablesOfCriticalDataTakeParamsAndBits) {
  PlanRequest request;
  request.critical_data = true, request.params = 1e9, request.bits = {3};
  EXPECT_EQ(make_plan(request).error, "");
  EXPECT_NE(refusal(request, [](auto& r) { r.compute = 1e21; }).find("compute: "),
            std::string::npos);
  EXPECT_NE(refusal(request, [](auto& r) { r.tokens = 1e10; }).find("tokens: "), std::string::npos);
}

// Several laws: what one of them needs is no fault of the others.
TEST(Unused, SeveralLawsTakeWhatTheyKnow) {
  PlanRequest request = budgeted();
  request.laws = {"chinchilla", "muennighoff"}, request.unique_tokens = 1e9;
  const PlanComparison both = compare_plans(request, {});
  EXPECT_EQ(both.error, "");
  EXPECT_EQ(both.plans.size(), 2U);
}

}  // namespace
}  // namespace bitlaw
