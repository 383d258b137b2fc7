#pragma once

#include <string>

namespace facegate {

// A file of torch.jit.save. Its module has a forward() of this body (lines with two spaces in front
// are a part of others), with `self` and the picture `x`, N·3·16·16, and the layers "conv" (8
// filters of 3·3), "norm" of 8 channels, "slopes" of 8, "squeeze" and "expand" (a gate of 4
// channels), and "fc", of 512 numbers to 6. The same body gives the same file. `methods` are the
// source of others.
std::string ScriptFile(const std::string& body, const std::string& methods = "");

}  // namespace facegate
