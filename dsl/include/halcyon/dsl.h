#pragma once
/// Everything a network file needs: `#include <halcyon/dsl.h>`.

#include "dsl/blocks.h"
#include "dsl/generator.h"
#include "dsl/layers.h"
#include "dsl/network.h"
#include "dsl/norm_layers.h"
