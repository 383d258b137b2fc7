#include "trainer/command/convert.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "face/base/shown_text.h"
#include "trainer/command/pack.h"
#include "trainer/command/photo_job_command.h"
#include "trainer/photos/folder_job.h"
#include "trainer/photos/list_job.h"

namespace facegate {
namespace {

struct ConvertCommand {
  PhotoJobArguments arguments;
  std::string to;
  PhotoJobOptions options;
};

// What the name of OUT asks for, in the words of --to.
StatusOr<std::string> FormOf(const std::string& out) {
  const std::filesystem::path path(out);
  const std::string ending = path.extension().string();
  if (ending == ".pack") return "pack";
  if (ending == ".txt") return "cls";
  if (ending == ".csv") return "csv";
  if (ending.empty()) return "folder";
  return RefuseField(
      "OUT", fmt::format("{} has the ending {}; .pack, .txt, .csv and a name without an ending say "
                         "what is written, and for other names --to does",
                         out, ending));
}

Status ConvertToFolder(const ConvertCommand& command, std::ostream& out) {
  if (command.arguments.replace) {
    return RefuseField("--replace", "a folder is never replaced; name one that does not exist");
  }
  return RunWithProgress([&](const PhotoJobEvents& events) -> Status {
    FACEGATE_ASSIGN_OR_RETURN(const FolderReport report,
                              WriteFolder(command.options, command.arguments.out, events));
    for (const std::string& remark : report.remarks) out << ShownText(remark) << "\n";
    PrintRow(out, "folder", command.arguments.out);
    PrintRow(out, "photos", std::to_string(report.photos));
    PrintRow(out, "identities", std::to_string(report.identities));
    if (report.kept_photos > 0) {
      PrintRow(out, "continued",
               fmt::format("an interrupted run had left {} photos", report.kept_photos));
    }
    if (report.renamed_folders > 0) {
      PrintRow(out, "folders",
               fmt::format("{} identities have names that a folder cannot have, and _ in it",
                           report.renamed_folders));
    }
    PrintPhotoJob(command.options, report, out);
    return OkStatus();
  });
}

Status ConvertToList(const ConvertCommand& command, ListForm form, std::ostream& out) {
  const std::string& path = command.arguments.out;
  std::error_code error;
  if (std::filesystem::exists(path, error) && !command.arguments.replace) {
    return RefuseField("OUT", fmt::format("{} exists; --replace overwrites it", path));
  }
  if (command.options.crop.has_value()) {
    return RefuseField("--crop",
                       "a list is written without a look at the photos; convert to a "
                       "pack or a folder for this");
  }
  FACEGATE_ASSIGN_OR_RETURN(const PhotoJobReport report, WriteList(command.options, form, path));
  for (const std::string& remark : report.remarks) out << ShownText(remark) << "\n";
  PrintRow(out, "list", path);
  PrintRow(out, "photos", std::to_string(report.photos));
  PrintRow(out, "identities", std::to_string(report.identities));
  PrintPhotoJob(command.options, report, out);
  return OkStatus();
}

Status Convert(ConvertCommand& command, std::ostream& out) {
  FACEGATE_RETURN_IF_ERROR(CompletePhotoJob(command.arguments, command.options));
  std::string form = command.to;
  if (form.empty()) {
    FACEGATE_ASSIGN_OR_RETURN(form, FormOf(command.arguments.out));
  }
  if (form == "folder") return ConvertToFolder(command, out);
  if (form == "cls") return ConvertToList(command, ListForm::kCls, out);
  if (form == "csv") return ConvertToList(command, ListForm::kCsv, out);
  PackOptions options;
  static_cast<PhotoJobOptions&>(options) = command.options;
  options.out = command.arguments.out;
  return PackPhotos(options, command.arguments.replace, out);
}

}  // namespace

TrainCommand AddConvertCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "convert", "Turns sets of photos of any readable format into a pack, a list or a folder");
  command->footer(
      "SOURCE is one of\n"
      "  a folder DIR/IDENTITY/PHOTO, or a zip or tar archive of one\n"
      "  a list: PATH LABEL (CelebA's identities), LABEL;PATH or CSV\n"
      "  an MXNet RecordIO file (train.rec, with or without train.idx), or its folder\n"
      "  a TFRecord file, or a folder of several\n"
      "  MNIST's folder, or one of its files of pictures\n"
      "  a pack\n"
      "OUT is, by its ending or by --to,\n"
      "  pack     .pack: one file with all photos\n"
      "  cls      .txt: a list of LABEL;PATH (cls_train.txt)\n"
      "  csv      .csv: a list of path, identity and label\n"
      "  folder   no ending: OUT/IDENTITY/NNNNNN.EXT\n"
      "Photos keep their bytes. For a pack and a folder each is decoded, and what fails is named "
      "and left out; a\nrun that was interrupted leaves OUT.partial, from where the same command "
      "continues. Lists name photos\nthat are files, unread.\n"
      "\n"
      "Examples:\n"
      "  facegate-train convert faces_emore/ ms1m.pack\n"
      "  facegate-train convert ms1m_bin.tfrecord ms1m/\n"
      "  facegate-train convert identity_CelebA.txt --root img_align_celeba/ --min-photos 20 "
      "celeba.csv\n"
      "  facegate-train convert casia.zip ours/ both.pack");
  const auto parsed = std::make_shared<ConvertCommand>();
  AddPhotoJobOptions(*command, parsed->arguments, parsed->options);
  command->add_option("--to", parsed->to, "What is written, whatever OUT's ending")
      ->check(CLI::IsMember({"pack", "cls", "csv", "folder"}));
  return {.app = command,
          .run = [parsed](std::ostream& out) -> Status { return Convert(*parsed, out); }};
}

}  // namespace facegate
