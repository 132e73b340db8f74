#include "runtime/schedule.h"

#include <gtest/gtest.h>

#include "runtime/base/error.h"
#include "tests/runtime/expect_error.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;
using Kind = Schedule::Kind;

TEST(Schedule, ConstantIsOne) {
  for (const int64_t step : {0, 1, 99, 1000}) EXPECT_EQ(Schedule{}.factor(step, 100), 1);
}

TEST(Schedule, StepDropsEveryThirdOfTheRunUnlessTold) {
  const Schedule thirds{.kind = Kind::kStep, .step_factor = 0.5};
  EXPECT_EQ(thirds.factor(29, 90), 1);
  EXPECT_EQ(thirds.factor(30, 90), 0.5);
  EXPECT_EQ(thirds.factor(89, 90), 0.25);
  const Schedule told{.kind = Kind::kStep, .step_every = 10, .step_factor = 0.1};
  EXPECT_DOUBLE_EQ(told.factor(20, 90), 0.01);
}

TEST(Schedule, CosineFallsFromOneToItsFloor) {
  const Schedule cosine{.kind = Kind::kCosine, .final_fraction = 0.2};
  EXPECT_DOUBLE_EQ(cosine.factor(0, 100), 1);
  EXPECT_NEAR(cosine.factor(50, 100), 0.6, 1e-12);
  EXPECT_NEAR(cosine.factor(100, 100), 0.2, 1e-12);
  EXPECT_NEAR(cosine.factor(5000, 100), 0.2, 1e-12);
  for (int64_t step = 1; step < 100; ++step)
    EXPECT_LT(cosine.factor(step, 100), cosine.factor(step - 1, 100));
}

TEST(Schedule, WarmUpClimbsInEqualPartsToTheFullRate) {
  const Schedule warm{.kind = Kind::kCosine, .warmup_steps = 4};
  EXPECT_DOUBLE_EQ(warm.factor(0, 100), 0.25);
  EXPECT_DOUBLE_EQ(warm.factor(3, 100), 1);
  EXPECT_DOUBLE_EQ(warm.factor(4, 100), 1);  // the cosine begins where the climb ended
  EXPECT_LT(warm.factor(5, 100), 1);
  EXPECT_DOUBLE_EQ(Schedule{.warmup_steps = 10}.factor(0, 5), 0.1);  // longer than the run
}

TEST(Schedule, NamesGoBothWays) {
  for (const Kind kind : {Kind::kConstant, Kind::kStep, Kind::kCosine})
    EXPECT_EQ(parse_schedule_kind(to_text(kind)), kind);
  expect_error<UserError>([] { parse_schedule_kind("linear"); },
                          "unknown learning-rate schedule 'linear'",
                          "hint: one of constant, step, cosine");
}

TEST(Schedule, RefusesNumbersWithoutMeaning) {
  expect_error<UserError>([] { Schedule{.warmup_steps = -1}.check(); },
                          "schedule: warm-up of -1 steps");
  expect_error<UserError>([] { Schedule{.step_every = -2}.check(); }, "a drop every -2 steps");
  expect_error<UserError>([] { Schedule{.step_factor = 0}.check(); },
                          "a drop multiplies by 0.000000");
  expect_error<UserError>([] { Schedule{.final_fraction = 1.5}.check(); },
                          "ends at 1.500000 of its base");
}

}  // namespace
}  // namespace halcyon::runtime
