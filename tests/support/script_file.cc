#include "tests/support/script_file.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/utils.h>

#include <sstream>
#include <utility>
#include <vector>

namespace facegate {
namespace {

using torch::jit::Module;

struct Parameter {
  const char* name;
  at::Tensor numbers;
};

void AddLayer(const char* name, const std::vector<Parameter>& parameters,
              const std::vector<Parameter>& buffers, Module& to) {
  Module layer(std::string("__torch__.layers.") + name);
  for (const auto& [parameter, numbers] : parameters) {
    layer.register_parameter(parameter, numbers, false);
  }
  for (const auto& [buffer, numbers] : buffers) layer.register_buffer(buffer, numbers);
  to.register_module(name, layer);
}

}  // namespace

std::string ScriptFile(const std::string& body, const std::string& methods) {
  torch::manual_seed(3);
  Module module("__torch__.Network");
  AddLayer("conv", {{"weight", torch::randn({8, 3, 3, 3}) * 0.3}}, {}, module);
  AddLayer("norm", {{"weight", torch::rand({8}) + 0.5}, {"bias", torch::randn({8})}},
           {{"running_mean", torch::randn({8})},
            {"running_var", torch::rand({8}) + 0.5},
            {"num_batches_tracked", torch::zeros({}, torch::kLong)}},
           module);
  AddLayer("slopes", {{"weight", torch::rand({8})}}, {}, module);
  AddLayer("squeeze", {{"weight", torch::randn({4, 8, 1, 1})}, {"bias", torch::randn({4})}}, {},
           module);
  AddLayer("expand", {{"weight", torch::randn({8, 4, 1, 1})}, {"bias", torch::randn({8})}}, {},
           module);
  AddLayer("fc", {{"weight", torch::randn({6, 512}) * 0.1}, {"bias", torch::randn({6})}}, {},
           module);
  module.register_attribute("training", c10::BoolType::get(), true);
  std::string source = methods + "def forward(self, x):\n";
  std::istringstream lines(body);
  for (std::string line; std::getline(lines, line);) source += "  " + line + "\n";
  module.define(source);
  std::ostringstream file;
  module.save(file);
  return std::move(file).str();
}

}  // namespace facegate
