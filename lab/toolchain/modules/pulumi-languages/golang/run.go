package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/common/constant"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// run builds the program of a request, and runs it to its end; both print where the host does.
//
// An engine that goes away ends them.
func run(
	ctx context.Context, request *pulumirpc.RunRequest, engine string,
) (*pulumirpc.RunResponse, error) {
	variables, err := environment(request, engine)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "pulumi-go-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	executable := filepath.Join(folder, "program")
	build := exec.CommandContext(ctx, "go", "build", "-o", executable, ".")
	build.Dir = filepath.Join(request.Info.ProgramDirectory, request.Info.EntryPoint)
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("go build in %s: %v", build.Dir, err)}, nil
	}
	program := exec.CommandContext(ctx, executable, request.Args...)
	program.Dir = request.Pwd
	program.Env = append(os.Environ(), variables...)
	program.Stdout, program.Stderr = os.Stdout, os.Stderr
	err = program.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == constant.ExitStatusLoggedError:
		// It has told the engine itself what went wrong.
		return &pulumirpc.RunResponse{Bail: true}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program ended: %v", err)}, nil
	}
}

// environment is where a program in Go looks for what `pulumi.Run` has to know.
//
// Configuration may be secret, so it is in no argument.
func environment(request *pulumirpc.RunRequest, engine string) ([]string, error) {
	configuration, err := json.Marshal(request.Config)
	if err != nil {
		return nil, err
	}
	secretKeys, err := json.Marshal(request.ConfigSecretKeys)
	if err != nil {
		return nil, err
	}
	return []string{
		pulumi.EnvOrganization + "=" + request.Organization,
		pulumi.EnvProject + "=" + request.Project,
		pulumi.EnvPulumiRootDirectory + "=" + request.Info.RootDirectory,
		pulumi.EnvStack + "=" + request.Stack,
		pulumi.EnvConfig + "=" + string(configuration),
		pulumi.EnvConfigSecretKeys + "=" + string(secretKeys),
		pulumi.EnvParallel + "=" + strconv.Itoa(int(request.Parallel)),
		pulumi.EnvDryRun + "=" + strconv.FormatBool(request.DryRun),
		pulumi.EnvMonitor + "=" + request.MonitorAddress,
		pulumi.EnvEngine + "=" + engine,
	}, nil
}
