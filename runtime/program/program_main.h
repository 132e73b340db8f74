#pragma once
/// What a program that holds one network calls, and nothing else.

#include "runtime/base/abi.h"

/// Does what the words say; returns the exit status of the program.
extern "C" int halcyon_program_main(const halcyon_network* network, int argc,
                                    const char* const* argv);
