#include "compiler/schedules/space.h"

#include <gtest/gtest.h>

#include <set>

#include "compiler/passes/passes.h"
#include "compiler/passes/pipeline.h"
#include "compiler/schedules/schedules.h"
#include "dsl/layers.h"

namespace halcyon::compiler {
namespace {

Space two_numbers() {
  Space space;
  space.standard = {.tile_x = 4, .tile_k = 2, .unroll_c = 1};
  space.parameters = {{&Choice::tile_x, {1, 2, 4}}, {&Choice::tile_k, {1, 2}}};
  space.refuse = [](const Choice& c) -> std::string {
    return c.tile_x == 1 && c.tile_k == 1 ? "too small" : "";
  };
  return space;
}

TEST(Space, HoldsItsStandardChoiceAndThoseThatNothingRefuses) {
  const Space space = two_numbers();
  EXPECT_EQ(why_illegal(space, space.standard), "");
  EXPECT_EQ(why_illegal(space, {.tile_x = 1, .tile_k = 2, .unroll_c = 1}), "");
}

TEST(Space, SaysWhatIsWrongWithOthers) {
  const Space space = two_numbers();
  EXPECT_EQ(why_illegal(space, {.tile_x = 1, .tile_k = 1, .unroll_c = 1}), "too small");
  EXPECT_EQ(why_illegal(space, {.tile_x = 3, .tile_k = 1, .unroll_c = 1}),
            "no value to choose among: tile_x=3 tile_k=1 unroll_c=1");
  EXPECT_EQ(why_illegal(space, {.tile_x = 4, .tile_k = 1, .unroll_c = 2}),
            "a number that cannot be chosen: tile_x=4 tile_k=1 unroll_c=2");
}

TEST(Space, DrawsEveryMemberAndNoOther) {
  const Space space = two_numbers();
  std::mt19937_64 random(1);
  std::set<std::string> drawn;
  for (int i = 0; i < 200; ++i) {
    const Choice choice = random_choice(space, random);
    EXPECT_EQ(why_illegal(space, choice), "");
    drawn.insert(to_string(choice));
  }
  EXPECT_EQ(drawn.size(), 5u);
}

TEST(Space, FallsBackToItsStandardChoice) {
  Space space = two_numbers();
  space.refuse = [](const Choice&) -> std::string { return "none"; };
  std::mt19937_64 random(1);
  EXPECT_EQ(random_choice(space, random), space.standard);
}

dsl::Graph convolutions() {
  dsl::Network net("convolutions");
  dsl::Tensor x = net.input("x", {.height = 13, .width = 14, .channels = 3});
  x = x | dsl::conv(24, 3, {.pad = 1}) | dsl::relu | dsl::max_pool(3, {.stride = 2});
  x = x | dsl::conv(40, 5, {.pad = 2, .groups = 2}) | dsl::max_pool(2) | dsl::conv(40, 1);
  net.output("y", x | dsl::flatten | dsl::dense(10));
  return net.graph();
}

Program compiled(const std::function<Choice(const Space&)>& choose) {
  Program program;
  program.graph = convolutions();
  PassContext context;
  context.choose = choose;
  run_passes(program, context, inference_passes());
  return program;
}

TEST(ChooseSchedules, GivesKernelsTheirStandardChoice) {
  const Program program = compiled({});
  for (const Region& region : program.regions) {
    const KernelSpec spec = make_kernel_spec(program, region, {});
    EXPECT_EQ(spec.choice, schedule_space(spec).standard) << spec.label();
  }
}

TEST(ChooseSchedules, AsksWhoeverIsToChoose) {
  int asked = 0;
  const Program program = compiled([&](const Space& space) {
    Choice choice = space.standard;
    for (const Parameter& parameter : space.parameters) {
      Choice other = space.standard;
      other.*parameter.member = parameter.values.front();
      if (why_illegal(space, other).empty()) choice = other;
    }
    ++asked;
    return choice;
  });
  EXPECT_EQ(asked, static_cast<int>(program.regions.size()));
  EXPECT_NE(to_string(program.regions[0].choice), to_string(compiled({}).regions[0].choice));
}

TEST(ChooseSchedules, RefusesWhatIsNoMemberOfTheSpace) {
  const auto wrong = [](const Space& space) {
    Choice choice = space.standard;
    choice.tile_s = 77;
    return choice;
  };
  EXPECT_THROW(compiled(wrong), InternalError);
}

}  // namespace
}  // namespace halcyon::compiler
