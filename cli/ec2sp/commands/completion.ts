import tab, { type Command, type RootCommand } from '@bomb.sh/tab';
import { type CommandSpec, commands, globalOptions, type OptionSpec } from '../commands.ts';
import type { Action } from '../context.ts';

/** The commands and options of the program, as the completion knows them. */
const described = (): RootCommand => {
  for (const one of globalOptions) addOption(tab, one);
  for (const one of commands) {
    if ('load' in one) addCommand(one.name, one);
    else {
      tab.command(one.name, one.summary);
      for (const member of one.commands) addCommand(`${one.name} ${member.name}`, member);
    }
  }
  return tab;
};

const addCommand = (
  path: string,
  { summary, isHidden, arguments: named = [], options = [] }: CommandSpec,
): void => {
  if (isHidden) return;
  const command = tab.command(path, summary);
  for (const { name, choices = [], isVariadic } of named)
    command.argument(
      name,
      (complete) => {
        for (const choice of choices) complete(choice, '');
      },
      isVariadic ?? false,
    );
  for (const one of options) addOption(command, one);
};

const addOption = (command: Command, { flags, about }: OptionSpec): void => {
  const [, short, long = '', value] = /^(?:-(\w), )?--([\w-]+)( <.+>)?$/.exec(flags) ?? [];
  if (value === undefined) command.option(long, about, short);
  else command.option(long, about, () => undefined, short);
};

/** Prints a script that a shell sources. */
export const script: Action = async (_, { args: [shell = ''] }) => {
  described().setup('ec2sp', 'ec2sp', shell);
  return undefined;
};

/** What that script calls with the words of the command line. */
export const complete: Action = async (_, { args }) => {
  described().parse([...args]);
  return undefined;
};
