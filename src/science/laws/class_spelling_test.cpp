#include "laws/class_spelling.h"

#include <gtest/gtest.h>

#include "laws/bind.h"

namespace bitlaw {
namespace {

FittedClasses classes_of_a_table() {
  return {.reference = "Baseline",
          .bits = {{"", 16, 16, 16}, {"MXFP4", 4, 4, 16}, {"recipe", 8, 4, 16}}};
}

Observation of_class(const std::string& name) {
  Observation run;
  run.precision = name;
  return run;
}

TEST(ClassSpelling, IsThatOfTheTable) {
  const FittedClasses classes = classes_of_a_table();
  EXPECT_EQ(precision_class(spelled_as(classes, of_class("baseline"))), "");
  EXPECT_EQ(precision_class(spelled_as(classes, of_class("bf16-mixed"))), "");
  EXPECT_EQ(precision_class(spelled_as(classes, of_class("mxfp4"))), "MXFP4");
  EXPECT_EQ(precision_class(spelled_as(classes, of_class("Recipe"))), "recipe");
  EXPECT_EQ(precision_class(spelled_as(classes, of_class("other"))), "other");
  EXPECT_EQ(precision_class(spelled_as({}, of_class("other"))), "other");
}

TEST(ClassSpelling, BitsAreThoseOfTheTableIfTheRunSaysNone) {
  const FittedClasses classes = classes_of_a_table();
  EXPECT_EQ(spelled_as(classes, of_class("recipe")).bits_weights, 8);
  EXPECT_EQ(spelled_as(classes, of_class("recipe")).bits_activations, 4);
  Observation run = of_class("recipe");
  run.bits_weights = 6;
  EXPECT_EQ(spelled_as(classes, run).bits_weights, 6);
  EXPECT_EQ(spelled_as(classes, of_class("other")).bits_weights, 16);
}

}  // namespace
}  // namespace bitlaw
