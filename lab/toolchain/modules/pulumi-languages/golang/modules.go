package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"golang.org/x/mod/modfile"
)

// What go.mod requires of a module that is in a folder; the folder has no version.
const noVersion = "v0.0.0-00010101000000-000000000000"

// Link has the go.mod of a program lead to the SDKs that were made for it.
func (runtime) Link(
	ctx context.Context, request *pulumirpc.LinkRequest,
) (*pulumirpc.LinkResponse, error) {
	var told []string
	for _, linked := range request.Packages {
		pins, err := os.ReadFile(
			filepath.Join(request.Info.ProgramDirectory, linked.Path, "go.mod"),
		)
		if err != nil {
			return nil, err
		}
		module := modfile.ModulePath(pins)
		edit := []string{
			"mod", "edit", "-require=" + module + "@" + noVersion,
			"-replace=" + module + "=./" + filepath.ToSlash(linked.Path),
		}
		err = goCommand(ctx, request.Info.ProgramDirectory, os.Stdout, os.Stderr, edit...)
		if err != nil {
			return nil, err
		}
		told = append(told, "Packages of "+module+" can be imported now.")
	}
	return &pulumirpc.LinkResponse{ImportInstructions: strings.Join(told, "\n")}, nil
}

// InstallDependencies fetches what a program imports.
func (runtime) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest,
	server pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(server, request.IsTerminal)
	if err != nil {
		return err
	}
	defer closer.Close()
	return goCommand(
		server.Context(), request.Info.ProgramDirectory, stdout, stderr, "mod", "tidy",
	)
}

func goCommand(
	ctx context.Context, folder string, stdout, stderr io.Writer, arguments ...string,
) error {
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir, command.Stdout, command.Stderr = folder, stdout, stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("go %s in %s: %w", strings.Join(arguments, " "), folder, err)
	}
	return nil
}
