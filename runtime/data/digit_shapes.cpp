#include "runtime/data/digit_shapes.h"

#include <array>

namespace halcyon::runtime {
namespace {

constexpr bool kStraight = false, kCurved = true;

// clang-format off
const std::array<std::vector<DigitShape>, 10>& all_shapes() {
  static const std::array<std::vector<DigitShape>, 10> shapes = {{
      // 0: closed oval; one whose end crosses its start
      {{{kCurved, {{.50f, .00f}, {.25f, .15f}, {.18f, .50f}, {.25f, .86f}, {.50f, 1.0f}, {.76f, .86f}, {.83f, .50f}, {.76f, .14f}, {.50f, .00f}}}},
       {{kCurved, {{.60f, .03f}, {.32f, .08f}, {.19f, .45f}, {.25f, .85f}, {.50f, 1.0f}, {.76f, .84f}, {.82f, .45f}, {.68f, .10f}, {.44f, .01f}}}}},
      // 1: a stroke; with a flag; with flag and foot
      {{{kStraight, {{.50f, .00f}, {.50f, 1.0f}}}},
       {{kStraight, {{.30f, .24f}, {.54f, .00f}, {.54f, 1.0f}}}},
       {{kStraight, {{.30f, .21f}, {.52f, .00f}, {.52f, 1.0f}}}, {kStraight, {{.28f, 1.0f}, {.76f, 1.0f}}}}},
      // 2: straight foot; with a loop
      {{{kCurved, {{.20f, .26f}, {.28f, .07f}, {.50f, .00f}, {.74f, .08f}, {.79f, .29f}, {.66f, .52f}, {.42f, .76f}, {.20f, 1.0f}}},
        {kStraight, {{.20f, 1.0f}, {.82f, 1.0f}}}},
       {{kCurved, {{.22f, .20f}, {.42f, .01f}, {.68f, .06f}, {.76f, .28f}, {.62f, .58f}, {.40f, .85f}, {.24f, .97f}, {.19f, .86f},
                   {.33f, .82f}, {.55f, .93f}, {.72f, .99f}, {.86f, .91f}}}}},
      // 3: two bows; flat top
      {{{kCurved, {{.22f, .14f}, {.46f, .00f}, {.72f, .09f}, {.75f, .30f}, {.62f, .44f}, {.42f, .48f}}},
        {kCurved, {{.42f, .48f}, {.68f, .53f}, {.81f, .72f}, {.70f, .93f}, {.46f, 1.0f}, {.20f, .88f}}}},
       {{kStraight, {{.22f, .02f}, {.76f, .02f}, {.48f, .40f}}},
        {kCurved, {{.48f, .40f}, {.72f, .48f}, {.80f, .70f}, {.68f, .93f}, {.44f, 1.0f}, {.20f, .88f}}}}},
      // 4: open; closed
      {{{kStraight, {{.28f, .02f}, {.20f, .58f}, {.82f, .56f}}}, {kStraight, {{.66f, .08f}, {.64f, 1.0f}}}},
       {{kStraight, {{.62f, 1.0f}, {.62f, .00f}, {.16f, .68f}, {.84f, .68f}}}}},
      // 5: with corners; in one sweep
      {{{kStraight, {{.76f, .02f}, {.30f, .02f}, {.26f, .44f}}},
        {kCurved, {{.26f, .44f}, {.50f, .36f}, {.74f, .47f}, {.81f, .69f}, {.70f, .92f}, {.44f, 1.0f}, {.20f, .90f}}}},
       {{kCurved, {{.80f, .02f}, {.56f, .01f}, {.36f, .04f}, {.27f, .24f}, {.32f, .41f}, {.58f, .44f}, {.78f, .60f}, {.73f, .87f}, {.48f, 1.0f}, {.20f, .92f}}}}},
      // 6: round; with a straight stem
      {{{kCurved, {{.70f, .02f}, {.42f, .16f}, {.23f, .46f}, {.20f, .74f}, {.33f, .96f}, {.58f, 1.0f}, {.78f, .84f}, {.76f, .62f}, {.56f, .50f}, {.34f, .58f}, {.22f, .76f}}}},
       {{kCurved, {{.60f, .00f}, {.41f, .30f}, {.26f, .60f}, {.25f, .85f}, {.45f, 1.0f}, {.70f, .93f}, {.77f, .72f}, {.60f, .56f}, {.38f, .62f}, {.26f, .80f}}}}},
      // 7: plain; crossed; with a hook
      {{{kStraight, {{.18f, .02f}, {.82f, .02f}, {.40f, 1.0f}}}},
       {{kStraight, {{.18f, .02f}, {.82f, .02f}, {.42f, 1.0f}}}, {kStraight, {{.36f, .52f}, {.76f, .50f}}}},
       {{kStraight, {{.20f, .17f}, {.20f, .02f}, {.82f, .02f}}}, {kCurved, {{.82f, .02f}, {.60f, .38f}, {.48f, .70f}, {.44f, 1.0f}}}}},
      // 8: one line crossing itself; two rings
      {{{kCurved, {{.74f, .14f}, {.50f, .00f}, {.27f, .13f}, {.30f, .36f}, {.52f, .50f}, {.76f, .68f}, {.74f, .92f}, {.50f, 1.0f}, {.24f, .91f}, {.25f, .68f}, {.50f, .49f}, {.72f, .34f}, {.74f, .14f}}}},
       {{kCurved, {{.50f, .00f}, {.28f, .09f}, {.28f, .37f}, {.50f, .46f}, {.72f, .37f}, {.72f, .09f}, {.50f, .00f}}},
        {kCurved, {{.50f, .46f}, {.23f, .58f}, {.21f, .86f}, {.50f, 1.0f}, {.79f, .86f}, {.77f, .58f}, {.50f, .46f}}}}},
      // 9: straight stem; curved stem
      {{{kCurved, {{.77f, .26f}, {.62f, .04f}, {.36f, .03f}, {.22f, .24f}, {.32f, .46f}, {.56f, .48f}, {.77f, .26f}}},
        {kCurved, {{.77f, .26f}, {.75f, .60f}, {.66f, 1.0f}}}},
       {{kCurved, {{.78f, .24f}, {.60f, .01f}, {.34f, .04f}, {.21f, .26f}, {.34f, .48f}, {.60f, .46f}, {.77f, .26f}, {.79f, .50f}, {.70f, .80f}, {.48f, .99f}, {.26f, .94f}}}}},
  }};
  return shapes;
}
// clang-format on

}  // namespace

std::span<const DigitShape> digit_shapes(int digit) {
  return all_shapes().at(static_cast<size_t>(digit));
}

}  // namespace halcyon::runtime
